#include "sandbox/protection.h"

namespace aio {

std::string_view ProtectionName(Protection protection) {
  switch (protection) {
    case Protection::kUserNamespace:
      return "user namespace";
    case Protection::kMountNamespace:
      return "mount namespace";
    case Protection::kPidNamespace:
      return "PID namespace";
    case Protection::kNetworkNamespace:
      return "network namespace";
    case Protection::kSeccomp:
      return "seccomp";
  }
  return "";
}

std::string ProtectionFlagValue(Protection protection) {
  std::string value(ProtectionName(protection));
  for (char& c : value) c = c == ' ' ? '-' : static_cast<char>(c | 0x20);  // ASCII letters only
  return value;
}

std::optional<Protection> ProtectionFromName(std::string_view name) {
  for (const Protection protection : kProtections) {
    if (name == ProtectionFlagValue(protection)) return protection;
  }
  return std::nullopt;
}

}  // namespace aio
