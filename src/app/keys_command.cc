#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "access/keys_file.h"
#include "api/json_text.h"
#include "app/commands.h"
#include "app/config.h"
#include "app/config_access.h"

namespace aio {

namespace {

struct KeysFlags {
  std::string config_path;
  std::string file;
  ApiKey key;  // its name, of revoke too
  bool json = false;

  Result<std::string> FindFile() const {
    if (!file.empty()) return file;
    if (!config_path.empty()) return KeysFileOf(config_path);
    AIO_ASSIGN_OR_RETURN(const std::string found, FindDefaultConfig());
    return KeysFileOf(found);
  }
};

auto HasName(const std::string& name) {
  return [&name](const ApiKey& key) { return key.name == name; };
}

Status Add(const KeysFlags& flags) {
  AIO_RETURN_IF_ERROR(CheckKeyName(flags.key.name));
  AIO_ASSIGN_OR_RETURN(const std::string file, flags.FindFile());
  AIO_ASSIGN_OR_RETURN(const std::string secret, NewApiKeySecret());
  AIO_RETURN_IF_ERROR(EditKeysFile(file, [&](std::vector<ApiKey>& keys) {
    if (std::any_of(keys.begin(), keys.end(), HasName(flags.key.name))) {
      return InvalidArgument(
          fmt::format("{}: there is a key '{}'; revoke it first, or choose another name", file,
                      flags.key.name));
    }
    keys.push_back(flags.key);
    keys.back().hash = HashSecret(secret);
    return Status::Ok();
  }));
  if (flags.json) {
    fmt::print("{}\n", ToText({{"name", flags.key.name}, {"key", secret}, {"file", file}}));
  } else {
    PrintNote(fmt::format(
        "key '{}' added to {}; this is the only time that it is shown:", flags.key.name, file));
    fmt::print("{}\n", secret);
  }
  return Status::Ok();
}

Status Revoke(const KeysFlags& flags) {
  AIO_ASSIGN_OR_RETURN(const std::string file, flags.FindFile());
  AIO_RETURN_IF_ERROR(EditKeysFile(file, [&](std::vector<ApiKey>& keys) {
    if (std::erase_if(keys, HasName(flags.key.name)) > 0) return Status::Ok();
    return NotFound(fmt::format("{}: there is no key '{}'; `aio keys list` shows those that are",
                                file, flags.key.name));
  }));
  if (flags.json) {
    fmt::print("{}\n", ToText({{"revoked", flags.key.name}, {"file", file}}));
  } else {
    fmt::print("key '{}' revoked in {}; a server that runs learns of it by SIGHUP or --watch\n",
               flags.key.name, file);
  }
  return Status::Ok();
}

std::string OrNone(int limit) { return limit == 0 ? "-" : std::to_string(limit); }

OrderedJson ToJson(const ApiKey& key) {
  return {{"name", key.name},
          {"models", key.models},
          {"requests_per_minute", key.limits.requests_per_minute},
          {"tokens_per_minute", key.limits.tokens_per_minute},
          {"tokens_per_day", key.limits.tokens_per_day},
          {"priority", key.priority},
          {"is_admin", key.is_admin}};
}

Status List(const KeysFlags& flags) {
  AIO_ASSIGN_OR_RETURN(const std::string file, flags.FindFile());
  AIO_ASSIGN_OR_RETURN(const std::vector<ApiKey> keys, ReadKeysFile(file));
  if (flags.json) {
    OrderedJson list = OrderedJson::array();
    for (const ApiKey& key : keys) list.push_back(ToJson(key));
    fmt::print("{}\n", ToText({{"file", file}, {"keys", list}}, 2));
    return Status::Ok();
  }
  constexpr auto kRow = "{:<20} {:>12} {:>12} {:>12} {:>8} {:<5} {}\n";
  fmt::print(kRow, "name", "requests/min", "tokens/min", "tokens/day", "priority", "admin",
             "models");
  for (const ApiKey& key : keys) {
    fmt::print(kRow, key.name, OrNone(key.limits.requests_per_minute),
               OrNone(key.limits.tokens_per_minute), OrNone(key.limits.tokens_per_day),
               key.priority, key.is_admin ? "yes" : "no",
               key.models.empty() ? "all" : fmt::format("{}", fmt::join(key.models, " ")));
  }
  return Status::Ok();
}

int Run(Status (*work)(const KeysFlags&), const KeysFlags& flags) {
  const Status status = work(flags);
  return status.ok() ? kExitOk : Fail(status);
}

// A subcommand with the options that all three have.
CLI::App* AddCommand(CLI::App& keys, const char* name, const char* help,
                     const std::shared_ptr<KeysFlags>& flags) {
  CLI::App* command = keys.add_subcommand(name, help);
  command->add_option("-f,--file", flags->file, "keys file (default: the configuration's)");
  command
      ->add_option("-c,--config", flags->config_path, "configuration whose server.keys_file it is")
      ->envname("AIO_CONFIG");
  command->add_flag("--json", flags->json, "the result as JSON");
  return command;
}

void AddLimits(CLI::App& command, ApiKey& key) {
  const CLI::Range limit(0, std::numeric_limits<int>::max());
  command.add_option("--models", key.models,
                     "what a request's model may be; '*' at the end: all that begin so "
                     "(default: all)");
  command.add_option("--requests-per-minute", key.limits.requests_per_minute, "0: no limit")
      ->check(limit);
  command.add_option("--tokens-per-minute", key.limits.tokens_per_minute, "0: no limit")
      ->check(limit);
  command.add_option("--tokens-per-day", key.limits.tokens_per_day, "0: no limit")->check(limit);
  command.add_option("--priority", key.priority, "of its requests; lower is earlier (default 0)")
      ->check(CLI::Range(-kKeyPriorityMax, kKeyPriorityMax));
  command.add_flag("--admin", key.is_admin, "may read /metrics and administer the server");
}

}  // namespace

void RegisterKeys(CLI::App& program, int& exit_status) {
  CLI::App* keys = program.add_subcommand("keys", "Make, list and revoke API keys");
  keys->require_subcommand(1);
  keys->footer(
      "Example:\n  aio keys add alice --file keys.toml --models 'auto*' --requests-per-minute 60\n"
      "  aio keys list --file keys.toml\n  aio keys revoke alice --file keys.toml");
  auto flags = std::make_shared<KeysFlags>();

  CLI::App* add = AddCommand(*keys, "add", "Make a key; it is shown once", flags);
  add->add_option("name", flags->key.name, "whose key it is: letters, digits, '-', '_', '.'")
      ->required();
  AddLimits(*add, flags->key);
  add->footer("Example:\n  aio keys add alice --file keys.toml --tokens-per-day 1000000");
  add->callback([flags, &exit_status] { exit_status = Run(Add, *flags); });

  CLI::App* list = AddCommand(*keys, "list", "List the keys' names and limits", flags);
  list->footer("Example:\n  aio keys list --file keys.toml");
  list->callback([flags, &exit_status] { exit_status = Run(List, *flags); });

  CLI::App* revoke = AddCommand(*keys, "revoke", "Take a key back", flags);
  revoke->add_option("name", flags->key.name, "whose")->required();
  revoke->footer("Example:\n  aio keys revoke alice --file keys.toml");
  revoke->callback([flags, &exit_status] { exit_status = Run(Revoke, *flags); });
}

}  // namespace aio
