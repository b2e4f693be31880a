#include "app/config_access.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "access/keys_file.h"
#include "base/named_variable.h"
#include "postgres/url.h"
#include "server/cors.h"

namespace aio {

namespace fs = std::filesystem;

std::string RelativeTo(const std::string& source, const std::string& path) {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  return (fs::path(source).parent_path() / path).lexically_normal().string();
}

Result<std::string> ReadNamedDatabaseUrl(const std::string& variable) {
  AIO_ASSIGN_OR_RETURN(std::string url, ReadNamedVariable(variable));
  if (const Status checked = CheckPostgresUrl(url); !checked.ok()) {
    return InvalidArgument(
        fmt::format("what the environment variable {} holds {}", variable, checked.message()));
  }
  return url;
}

std::string ReadDatabaseUrl(TomlTable& table, const char* key) {
  const std::optional<std::string> variable = table.String(key);
  if (!variable) return "";
  Result<std::string> url = ReadNamedDatabaseUrl(*variable);
  if (url.ok()) return *std::move(url);
  table.Fail(key, url.status().message());
  return "";
}

namespace {

void ReadTls(TomlTable& server, AppConfig& config) {
  std::optional<TomlTable> table = server.Table("tls");
  if (!table) return;
  TlsFiles& files = config.server.http.tls.emplace();
  for (const auto& [name, path] :
       {std::pair("certificate", &files.certificate), std::pair("key", &files.key)}) {
    table->Require(name);
    *path = RelativeTo(config.source, table->String(name).value_or(""));
    if (table->Has(name) && path->empty()) table->Fail(name, "is empty; name a PEM file");
  }
}

}  // namespace

void ReadAccess(TomlTable& server, AppConfig& config) {
  config.keys_file = RelativeTo(config.source, server.String("keys_file").value_or(""));
  if (server.Has("keys_file") && config.keys_file.empty()) {
    server.Fail("keys_file", "is empty; name a file, or remove the key");
  }
  config.limits_url = ReadDatabaseUrl(server, "limits_url_env");
  if (server.Has("limits_url_env") && !server.Has("keys_file")) {
    server.Fail("limits_url_env",
                "stands without keys_file: limits are those of keys; name a file, or remove it");
  }
  ReadTls(server, config);
  std::optional<TomlTable> cors = server.Table("cors");
  if (!cors) return;
  cors->Require("origins");
  config.server.cors_origins = cors->Strings("origins").value_or(config.server.cors_origins);
  for (const std::string& origin : config.server.cors_origins) {
    if (const Status status = CheckCorsOrigin(origin); !status.ok()) {
      cors->Fail("origins", status.message());
    }
  }
}

Status CheckTls(const AppConfig& config) {
  if (!config.server.http.tls) return Status::Ok();
  Status status = CheckTlsFiles(*config.server.http.tls);
  if (status.ok()) return status;
  return std::move(status).WithContext(fmt::format("{}: server.tls", config.source));
}

Status LoadKeys(AppConfig& config) {
  if (config.keys_file.empty()) return Status::Ok();
  Result<std::vector<ApiKey>> keys = ReadKeysFile(config.keys_file);
  if (keys.ok()) {
    config.keys = *std::move(keys);
    return Status::Ok();
  }
  Status status = keys.status();
  if (status.code() == StatusCode::kNotFound) {
    status = NotFound(fmt::format("{}; make it with: aio keys add NAME --file {}", status.message(),
                                  config.keys_file));
  }
  return std::move(status).WithContext(fmt::format("{}: server.keys_file", config.source));
}

std::vector<ApiKey> AllKeys(const AppConfig& config) {
  std::vector<ApiKey> keys = config.keys;
  if (!config.server.api_key.empty()) keys.push_back(TheOneKey(config.server.api_key));
  return keys;
}

bool AsksForKeys(const AppConfig& config) {
  return !config.keys_file.empty() || !config.server.api_key.empty();
}

Result<std::string> KeysFileOf(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(text, path));
  std::optional<TomlTable> server = root.Table("server");
  const std::string file = server ? server->String("keys_file").value_or("") : "";
  if (!file.empty()) return RelativeTo(path, file);
  return NotFound(
      fmt::format("{}: names no server.keys_file; set one, or name the file with --file", path));
}

}  // namespace aio
