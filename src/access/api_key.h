// Who may ask for what: API keys as their owner wrote them down. Plain data.
#ifndef AIO_ACCESS_API_KEY_H_
#define AIO_ACCESS_API_KEY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"

namespace aio {

inline constexpr size_t kKeyNameBytesMax = 64;
inline constexpr int kKeyPriorityMax = 1000;  // of either sign

// How much a key may use; 0: no limit.
struct KeyLimits {
  int requests_per_minute = 0;
  int tokens_per_minute = 0;  // of prompts and answers together, as the next
  int tokens_per_day = 0;

  friend bool operator==(const KeyLimits&, const KeyLimits&) = default;
};

// The key itself is not kept, only its hash. A plain SHA-256 suffices, where passwords would need
// salt and a slow hash: a key is 256 random bits, so nobody can try them all, however fast, nor
// prepare a table of them; and a slow hash would be paid for by every request.
struct ApiKey {
  std::string name;  // unique; shown in logs and listings
  Sha256Digest hash{};
  std::vector<std::string> models;  // see AllowsModel()
  KeyLimits limits;
  int priority = 0;       // the best (lowest) that its requests may have
  bool is_admin = false;  // may read metrics and use what administers the server

  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

// Whether a request's `model` may be `model`: it is in the list, or begins with what stands before
// the '*' at the end of an entry. An empty list allows all. It is what the client names that
// counts: a key for "auto" gets whatever model the router chooses.
bool AllowsModel(const ApiKey& key, std::string_view model);

// A name is 1 to kKeyNameBytesMax letters, digits and "-_.": it cannot forge a line of a log.
Status CheckKeyName(std::string_view name);

// A key that nobody has or can guess, 256 bits of the system's random numbers:
// "aio-" and 43 letters, digits, '-' or '_'. kInternal if the system gives none.
Result<std::string> NewApiKeySecret();

// An owner's own key, without limits: its name is "default".
ApiKey TheOneKey(std::string_view secret);

Sha256Digest HashSecret(std::string_view secret);

// In a time that does not depend on where the two differ.
bool SameHash(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace aio

#endif  // AIO_ACCESS_API_KEY_H_
