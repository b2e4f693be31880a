#include "access/keys_file.h"

#include <fmt/format.h>

#include <limits>
#include <set>
#include <unordered_set>
#include <utility>

#include "access/private_file.h"
#include "base/toml_table.h"

namespace aio {
namespace {

constexpr int kLimitMax = std::numeric_limits<int>::max();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ParseHash(std::string_view hex, Sha256Digest& hash) {
  if (hex.size() != 2 * hash.size()) return false;
  for (size_t i = 0; i < hash.size(); ++i) {
    const int high = HexValue(hex[2 * i]);
    const int low = HexValue(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    hash[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

// Printable ASCII without quotes: what stands in a TOML string as it is.
bool IsModelEntry(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\') return false;
  }
  return !text.empty();
}

ApiKey ReadKey(TomlTable& table) {
  ApiKey key;
  table.Require("name");
  table.Require("sha256");
  key.name = table.String("name").value_or("");
  if (const Status name = CheckKeyName(key.name); table.Has("name") && !name.ok()) {
    table.Fail("name", name.message());
  }
  const auto hash = table.String("sha256");
  if (hash && !ParseHash(*hash, key.hash)) {
    table.Fail("sha256", "must be 64 lower-case hexadecimal digits, as `aio keys add` writes them");
  }
  key.models = table.Strings("models").value_or(key.models);
  for (const std::string& model : key.models) {
    if (!IsModelEntry(model)) table.Fail("models", "has an entry that no model can be called");
  }
  if (table.Has("models") && key.models.empty()) {
    table.Fail("models", "is empty; name models, or remove the key to allow all");
  }
  KeyLimits& limits = key.limits;
  limits.requests_per_minute = table.Int("requests_per_minute", 0, kLimitMax).value_or(0);
  limits.tokens_per_minute = table.Int("tokens_per_minute", 0, kLimitMax).value_or(0);
  limits.tokens_per_day = table.Int("tokens_per_day", 0, kLimitMax).value_or(0);
  key.priority = table.Int("priority", -kKeyPriorityMax, kKeyPriorityMax).value_or(0);
  key.is_admin = table.Bool("is_admin").value_or(false);
  return key;
}

std::string Hex(const Sha256Digest& hash) {
  std::string hex;
  for (const uint8_t byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::string FormatKey(const ApiKey& key) {
  std::string text =
      fmt::format("\n[[key]]\nname = \"{}\"\nsha256 = \"{}\"\n", key.name, Hex(key.hash));
  if (!key.models.empty()) {
    text += fmt::format("models = [\"{}\"]\n", fmt::join(key.models, "\", \""));
  }
  const auto add = [&](std::string_view name, int value) {
    if (value != 0) text += fmt::format("{} = {}\n", name, value);
  };
  add("requests_per_minute", key.limits.requests_per_minute);
  add("tokens_per_minute", key.limits.tokens_per_minute);
  add("tokens_per_day", key.limits.tokens_per_day);
  add("priority", key.priority);
  if (key.is_admin) text += "is_admin = true\n";
  return text;
}

}  // namespace

Result<std::vector<ApiKey>> ParseKeysFile(std::string_view toml, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(toml, source));
  root.Require("version");
  root.Int("version", 1, 1);
  std::vector<ApiKey> keys;
  std::unordered_set<std::string> names;
  std::set<Sha256Digest> hashes;
  for (TomlTable& table : root.Tables("key")) {
    ApiKey key = ReadKey(table);
    if (!names.insert(key.name).second) {
      table.Fail("name", fmt::format("'{}' is another key's name", key.name));
    }
    if (!hashes.insert(key.hash).second) table.Fail("sha256", "is another key's");
    if (keys.size() == kKeysMax) {
      table.Fail("name", fmt::format("is one too many: at most {} keys", kKeysMax));
      break;
    }
    keys.push_back(std::move(key));
  }
  AIO_RETURN_IF_ERROR(root.Finish());
  return keys;
}

std::string FormatKeysFile(const std::vector<ApiKey>& keys) {
  std::string text =
      "# API keys, as `aio keys` writes them (comments are not kept): hashes, not keys.\n"
      "version = 1\n";
  for (const ApiKey& key : keys) text += FormatKey(key);
  return text;
}

Result<std::vector<ApiKey>> ReadKeysFile(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadPrivateFile(path));
  return ParseKeysFile(text, path);
}

Status EditKeysFile(const std::string& path,
                    const std::function<Status(std::vector<ApiKey>&)>& edit) {
  return EditPrivateFile(path, [&](std::string& text) -> Status {
    std::vector<ApiKey> keys;
    if (!text.empty()) {
      AIO_ASSIGN_OR_RETURN(keys, ParseKeysFile(text, path));
    }
    AIO_RETURN_IF_ERROR(edit(keys));
    text = FormatKeysFile(keys);
    return ParseKeysFile(text, path).status();  // an edit cannot make what would be refused
  });
}

}  // namespace aio
