// The API keys that are valid now, and what is left of their budgets.
#ifndef AIO_ACCESS_ACCESS_CONTROL_H_
#define AIO_ACCESS_ACCESS_CONTROL_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/api_key.h"
#include "access/key_budgets.h"
#include "base/clock.h"

namespace aio {

// A key as a request holds it, to the request's end: revoking does not stop what runs.
struct Account {
  const ApiKey key;
  const std::shared_ptr<KeyBudgets> budgets;  // never null; the same over a reload
};

// Thread-safe.
class AccessControl {
 public:
  // Without keys: nobody is let in, or everybody, as `required` says. Names are unique.
  AccessControl(std::vector<ApiKey> keys, bool required, TimePoint now);

  // From now on these are the keys. A key that has the name and hash of one before has its budgets
  // too, under the new limits.
  void Replace(std::vector<ApiKey> keys, bool required, TimePoint now);

  // Whether requests must have a key.
  bool required() const { return table()->required; }

  // The key that a client presented; null if there is no such. Compared by hash: the time taken
  // tells nothing of the key, and the hashes themselves are compared in constant time.
  std::shared_ptr<const Account> Find(std::string_view secret) const;

  // All of them, in no order.
  std::vector<std::shared_ptr<const Account>> All() const;

 private:
  // By the first bytes of the hash, which no client can choose or learn anything from.
  using Accounts = std::unordered_map<uint64_t, std::shared_ptr<const Account>>;
  struct Table {
    Accounts accounts;
    bool required = false;
  };

  static uint64_t IndexOf(const Sha256Digest& hash);
  std::shared_ptr<const Table> table() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Table> table_;  // guarded by mutex_; the table itself never changes
};

}  // namespace aio

#endif  // AIO_ACCESS_ACCESS_CONTROL_H_
