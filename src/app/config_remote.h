// The part of the configuration that says which models other servers hold, and where: [remote], and
// the keys of [models.ROLE] beside `engine`.
#ifndef AIO_APP_CONFIG_REMOTE_H_
#define AIO_APP_CONFIG_REMOTE_H_

#include <string>

#include "app/config.h"
#include "base/toml_table.h"

namespace aio {

// [remote]: what holds for all roles.
RemoteOptions ReadRemoteDefaults(TomlTable& root);

// Whether `model`, the table of a role, is of a model that other servers hold.
bool IsRemote(const TomlTable& model);

// Into settings.remote; settings.name and role are there. Faults come out of the document's
// Finish(). `source` is its file.
void ReadRemoteModel(TomlTable& model, const RemoteOptions& defaults, const std::string& source,
                     ModelSettings& settings);

}  // namespace aio

#endif  // AIO_APP_CONFIG_REMOTE_H_
