#include "app/load_named_models.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <utility>

#include "app/runtime.h"
#include "formats/gguf.h"

namespace aio {

Result<std::vector<EmbeddedModel>> LoadNamedModels(const std::vector<std::string>& paths,
                                                   int threads, const Clock& clock) {
  std::vector<EmbeddedModel> models;
  models.reserve(paths.size());
  std::map<std::string, int> seen;
  for (const std::string& path : paths) {
    ModelSettings settings;
    settings.name = std::filesystem::path(path).stem().string();
    settings.path = path;
    const int count = ++seen[settings.name];
    if (count > 1) settings.name += fmt::format(" ({})", count);
    AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Open(path));
    AIO_ASSIGN_OR_RETURN(EmbeddedModel model, LoadModel(settings, threads, clock, std::move(file)));
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace aio
