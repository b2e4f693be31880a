#include "convert/hugging_face.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "convert/hf_config.h"
#include "convert/hf_tokenizer.h"
#include "convert/hf_weights.h"
#include "convert/json_file.h"

namespace aio {
namespace {

// What people call a model: the folder's name.
std::string NameOf(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(folder, error);
  return error ? folder : path.filename().string();
}

}  // namespace

Result<ModelSource> OpenHuggingFaceSource(const std::string& folder, std::string_view pre) {
  const std::string config_path = folder + "/config.json";
  AIO_ASSIGN_OR_RETURN(const std::optional<nlohmann::json> json, ReadJsonFile(config_path));
  if (!json) {
    return NotFound(config_path +
                    ": is missing; a folder must hold a Hugging Face model (config.json, "
                    "safetensors, tokenizer)");
  }
  AIO_ASSIGN_OR_RETURN(const HfConfig config, ReadHfConfig(JsonObject(*json, config_path)));
  AIO_ASSIGN_OR_RETURN(const HfShards shards, HfShards::Open(folder));
  ModelSource source;
  source.path = folder;
  source.header = std::make_unique<GgufWriter>();
  WriteHfConfig(config, *source.header);
  source.header->SetString("general.type", "model");
  source.header->SetString("general.name", NameOf(folder));
  AIO_RETURN_IF_ERROR(AddHfTensors(config, shards, source));
  AIO_RETURN_IF_ERROR(AddHfTokenizer(folder, config, pre, *source.header, source.notes));
  return source;
}

}  // namespace aio
