#include "admission/fair_queue.h"

#include <algorithm>
#include <new>

#include "base/check.h"

namespace aio {
namespace {

// More clients than a server has keys; then those that do not wait are forgotten, and begin as new
// ones do.
constexpr size_t kClientsMax = 8192;

}  // namespace

void FairQueue::Begin(Client& client) {
  if (client.waiting == 0) client.tag = std::max(client.tag, last_tag_);
}

void FairQueue::Push(QueuedItem item) {
  const uint64_t id = item.id;
  const auto [entry, is_new] = items_.try_emplace(id, std::move(item));
  AIO_CHECK(is_new, "an id waits twice");
  const QueuedItem& kept = entry->second;
  try {
    Client& client = clients_[kept.client];
    levels_[kept.priority][kept.client].insert(id);
    if (kept.deadline != kNoDeadline) deadlines_.emplace(kept.deadline, id);
    Begin(client);
    ++client.waiting;
  } catch (const std::bad_alloc&) {
    Detach(kept);
    items_.erase(entry);
    throw;
  }
}

std::optional<QueuedItem> FairQueue::Pop() {
  if (levels_.empty()) return std::nullopt;
  const Waiting& waiting = levels_.begin()->second;
  // Of equal tags the one that came first.
  const auto next = std::min_element(waiting.begin(), waiting.end(), [&](auto& a, auto& b) {
    return std::pair(clients_[a.first].tag, *a.second.begin()) <
           std::pair(clients_[b.first].tag, *b.second.begin());
  });
  const auto found = items_.find(*next->second.begin());
  QueuedItem item = std::move(found->second);
  items_.erase(found);
  Unlink(item);
  Client& client = clients_[item.client];
  last_tag_ = std::max(last_tag_, client.tag);
  client.tag += static_cast<double>(item.cost);
  return item;
}

bool FairQueue::Remove(uint64_t id) {
  const auto found = items_.find(id);
  if (found == items_.end()) return false;
  Unlink(found->second);
  items_.erase(found);
  return true;
}

void FairQueue::Unlink(const QueuedItem& item) {
  Detach(item);
  --clients_[item.client].waiting;
}

void FairQueue::Detach(const QueuedItem& item) {
  deadlines_.erase({item.deadline, item.id});
  const auto level = levels_.find(item.priority);
  if (level == levels_.end()) return;
  if (const auto waiting = level->second.find(item.client); waiting != level->second.end()) {
    waiting->second.erase(item.id);
    if (waiting->second.empty()) level->second.erase(waiting);
  }
  if (level->second.empty()) levels_.erase(level);
}

std::optional<uint64_t> FairQueue::NextToExpire() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->second;
}

TimePoint FairQueue::NextDeadline() const {
  return deadlines_.empty() ? kNoDeadline : deadlines_.begin()->first;
}

void FairQueue::Served(const std::string& name, int64_t cost) {
  Prune();
  Client& client = clients_[name];
  Begin(client);
  last_tag_ = std::max(last_tag_, client.tag);
  client.tag += static_cast<double>(cost);
}

void FairQueue::Correct(const std::string& name, int64_t tokens) {
  const auto client = clients_.find(name);
  if (client != clients_.end()) client->second.tag += static_cast<double>(tokens);
}

size_t FairQueue::size_of(const std::string& client) const {
  const auto found = clients_.find(client);
  return found == clients_.end() ? 0 : found->second.waiting;
}

void FairQueue::Prune() {
  if (clients_.size() < kClientsMax) return;
  std::erase_if(clients_, [](const auto& entry) { return entry.second.waiting == 0; });
}

}  // namespace aio
