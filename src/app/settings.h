// What the configuration file may say, as `aio settings` and docs/configuration.md show it. Keys
// and types are those that the reader itself asks for; what they mean and their defaults stand in
// settings.cc.
#ifndef AIO_APP_SETTINGS_H_
#define AIO_APP_SETTINGS_H_

#include <string>
#include <vector>

#include "base/status.h"

namespace aio {

struct Setting {
  std::string table;    // "server.tls"; "models.ROLE" is one for each role; empty: the root
  std::string name;     // "port"
  std::string type;     // "integer, 0 to 65535"
  std::string initial;  // as it would be written; or "required"
  std::string unit;     // "s", "tokens"; empty: it has none
  std::string meaning;  // a phrase
};

// In the order in which the configuration is read. kInternal names a key that has no description,
// or a description that has no key.
Result<std::vector<Setting>> AllSettings();

// docs/configuration.md, whole.
std::string SettingsPage(const std::vector<Setting>& settings);

}  // namespace aio

#endif  // AIO_APP_SETTINGS_H_
