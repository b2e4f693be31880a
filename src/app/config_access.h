// The part of the configuration that says who is served, and how nobody listens: [server]
// keys_file and limits_url_env, [server.tls] and [server.cors].
#ifndef AIO_APP_CONFIG_ACCESS_H_
#define AIO_APP_CONFIG_ACCESS_H_

#include <string>
#include <vector>

#include "app/config.h"
#include "base/status.h"
#include "base/toml_table.h"

namespace aio {

// `path`, if it is relative, taken from the folder of the file `source`.
std::string RelativeTo(const std::string& source, const std::string& path);

// The postgresql:// URL in that environment variable. No message repeats it, nor what is put in
// place of the variable's name.
Result<std::string> ReadNamedDatabaseUrl(const std::string& variable);

// The postgresql:// URL in the environment variable that `key` names: it holds a password, and so
// never stands in the file. Empty without the key, and if it will not do.
std::string ReadDatabaseUrl(TomlTable& table, const char* key);

void ReadAccess(TomlTable& server, AppConfig& config);

// Reads config.keys_file, if there is one.
Status LoadKeys(AppConfig& config);

// That the files of TLS, if there are any, will do.
Status CheckTls(const AppConfig& config);

// Those of the keys file, and the one key (ServerOptions::api_key), if there is.
std::vector<ApiKey> AllKeys(const AppConfig& config);

// Whether only who has a key is served.
bool AsksForKeys(const AppConfig& config);

// The keys file that the configuration `path` names, which need not exist; nothing else of the
// configuration is read.
Result<std::string> KeysFileOf(const std::string& path);

}  // namespace aio

#endif  // AIO_APP_CONFIG_ACCESS_H_
