// What holds a program in, piece by piece.
#ifndef AIO_SANDBOX_PROTECTION_H_
#define AIO_SANDBOX_PROTECTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aio {

// What the kernel may refuse: it lacks it, or this process (in a container, say) may not have it.
enum class Protection {
  kUserNamespace,     // no rights over anything outside
  kMountNamespace,    // no files but python's own, and none to write but the private folder
  kPidNamespace,      // no other process in sight, and none left behind
  kNetworkNamespace,  // no network, not even the loopback
  kSeccomp,           // no system calls beyond those that programs need to compute
};

inline constexpr std::array kProtections = {Protection::kUserNamespace, Protection::kMountNamespace,
                                            Protection::kPidNamespace,
                                            Protection::kNetworkNamespace, Protection::kSeccomp};

// "user namespace", "mount namespace", ..., "seccomp": for messages.
std::string_view ProtectionName(Protection protection);

// "user-namespace", "mount-namespace", "pid-namespace", ...: as flags say it.
std::string ProtectionFlagValue(Protection protection);
std::optional<Protection> ProtectionFromName(std::string_view name);

// A set of protections is the sum of their bits.
constexpr uint32_t ProtectionBit(Protection p) { return uint32_t{1} << static_cast<int>(p); }

}  // namespace aio

#endif  // AIO_SANDBOX_PROTECTION_H_
