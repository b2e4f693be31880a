#include "access/access_control.h"

#include <cstring>
#include <utility>

namespace aio {

AccessControl::AccessControl(std::vector<ApiKey> keys, bool required, TimePoint now)
    : table_(std::make_shared<Table>()) {
  Replace(std::move(keys), required, now);
}

uint64_t AccessControl::IndexOf(const Sha256Digest& hash) {
  uint64_t index = 0;
  std::memcpy(&index, hash.data(), sizeof index);
  return index;
}

std::shared_ptr<const AccessControl::Table> AccessControl::table() const {
  std::lock_guard lock(mutex_);
  return table_;
}

void AccessControl::Replace(std::vector<ApiKey> keys, bool required, TimePoint now) {
  const std::shared_ptr<const Table> before = table();
  auto after = std::make_shared<Table>();
  after->required = required;
  for (ApiKey& key : keys) {
    const uint64_t index = IndexOf(key.hash);
    std::shared_ptr<KeyBudgets> budgets;
    const auto old = before->accounts.find(index);
    if (old != before->accounts.end() && old->second->key.name == key.name &&
        SameHash(old->second->key.hash, key.hash)) {
      budgets = old->second->budgets;
      if (old->second->key.limits != key.limits) budgets->SetLimits(key.limits, now);
    } else {
      budgets = std::make_shared<KeyBudgets>(key.limits, now);
    }
    after->accounts.emplace(index,
                            std::make_shared<const Account>(Account{std::move(key), budgets}));
  }
  std::lock_guard lock(mutex_);
  table_ = std::move(after);
}

std::shared_ptr<const Account> AccessControl::Find(std::string_view secret) const {
  const Sha256Digest hash = HashSecret(secret);
  const std::shared_ptr<const Table> keys = table();
  const auto found = keys->accounts.find(IndexOf(hash));
  if (found == keys->accounts.end() || !SameHash(found->second->key.hash, hash)) return nullptr;
  return found->second;
}

std::vector<std::shared_ptr<const Account>> AccessControl::All() const {
  const std::shared_ptr<const Table> keys = table();
  std::vector<std::shared_ptr<const Account>> all;
  all.reserve(keys->accounts.size());
  for (const auto& [index, account] : keys->accounts) all.push_back(account);
  return all;
}

}  // namespace aio
