#include "access/api_key.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "base/file_descriptor.h"

namespace aio {
namespace {

constexpr size_t kSecretBytes = 32;

// Base64 with the alphabet for URLs, without padding (RFC 4648, section 5).
std::string Base64Url(std::span<const uint8_t> bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kAlphabet[bits << (6 - count) & 63];
  return text;
}

bool IsNameByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

bool AllowsModel(const ApiKey& key, std::string_view model) {
  if (key.models.empty()) return true;
  return std::any_of(key.models.begin(), key.models.end(), [&](std::string_view allowed) {
    if (!allowed.ends_with('*')) return model == allowed;
    return model.starts_with(allowed.substr(0, allowed.size() - 1));
  });
}

Status CheckKeyName(std::string_view name) {
  if (!name.empty() && name.size() <= kKeyNameBytesMax &&
      std::all_of(name.begin(), name.end(), IsNameByte)) {
    return Status::Ok();
  }
  return InvalidArgument(fmt::format(
      "a key's name must be 1 to {} letters, digits, '-', '_' or '.'", kKeyNameBytesMax));
}

Result<std::string> NewApiKeySecret() {
  std::array<uint8_t, kSecretBytes> bytes{};
  // Up to 256 bytes come whole, or not at all.
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return SystemError("get random numbers", errno);
  }
  return "aio-" + Base64Url(bytes);
}

ApiKey TheOneKey(std::string_view secret) {
  ApiKey key;
  key.name = "default";
  key.hash = HashSecret(secret);
  key.is_admin = true;
  return key;
}

Sha256Digest HashSecret(std::string_view secret) {
  Sha256 hash;
  hash.Add(secret);
  return hash.Digest();
}

bool SameHash(const Sha256Digest& a, const Sha256Digest& b) {
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace aio
