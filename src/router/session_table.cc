#include "router/session_table.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "base/sha256.h"

namespace aio {
namespace {

void AddPart(Sha256& hash, std::string_view part) {
  hash.AddInteger(part.size());
  hash.Add(part);
}

std::string KeyOf(std::span<const ChatMessage> messages) {
  Sha256 hash;
  for (const ChatMessage& message : messages) {
    AddPart(hash, message.role);
    AddPart(hash, message.content);
  }
  return "prefix:" + hash.Hex();
}

}  // namespace

SessionKeys KeysOf(const Request& request) {
  if (!request.session.empty()) {
    const std::string key = "session:" + Sha256Hex(request.session);
    return {.of_last_turn = key, .of_this_turn = key};
  }
  const auto* messages = std::get_if<std::vector<ChatMessage>>(&request.prompt);
  if (messages == nullptr || messages->empty()) return {};
  SessionKeys keys;
  keys.of_this_turn = KeyOf(*messages);
  const auto answer = std::find_if(messages->rbegin(), messages->rend(),
                                   [](const auto& message) { return message.role == "assistant"; });
  const auto before = static_cast<size_t>(std::distance(answer, messages->rend()));
  if (before > 1) keys.of_last_turn = KeyOf(std::span(*messages).first(before - 1));
  return keys;
}

SessionSignals SessionTable::Find(const SessionKeys& keys) {
  if (keys.of_last_turn.empty()) return {};
  std::lock_guard lock(mutex_);
  const auto found = by_key_.find(keys.of_last_turn);
  if (found == by_key_.end()) return {};
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->last;
}

void SessionTable::Remember(const SessionKeys& keys, const SessionSignals& before,
                            SessionSignals now) {
  if (keys.of_this_turn.empty() || sessions_max_ == 0) return;
  now.turns = before.role == now.role ? before.turns + 1 : 1;
  std::lock_guard lock(mutex_);
  const auto found = by_key_.find(keys.of_this_turn);
  if (found != by_key_.end()) {
    found->second->last = std::move(now);
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return;
  }
  by_use_.push_front({keys.of_this_turn, std::move(now)});
  by_key_.emplace(by_use_.front().key, by_use_.begin());
  if (by_use_.size() <= sessions_max_) return;
  by_key_.erase(by_use_.back().key);
  by_use_.pop_back();
}

size_t SessionTable::size() const {
  std::lock_guard lock(mutex_);
  return by_use_.size();
}

}  // namespace aio
