// The safetensors files of a Hugging Face model, and the GGUF tensors that they hold.
#ifndef AIO_CONVERT_HF_WEIGHTS_H_
#define AIO_CONVERT_HF_WEIGHTS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "convert/hf_config.h"
#include "convert/model_source.h"
#include "formats/safetensors.h"

namespace aio {

// model.safetensors, or the shards that model.safetensors.index.json names.
class HfShards {
 public:
  // kNotFound when there is neither, with what to do. The index may name only files of
  // `folder`.
  static Result<HfShards> Open(const std::string& folder);

  struct Found {
    const SafetensorsTensor* tensor = nullptr;  // null: there is none
    const SafetensorsFile* file = nullptr;
  };
  Found Find(std::string_view name) const;
  // Every tensor's name, sorted.
  std::vector<std::string_view> Names() const;
  const std::vector<std::shared_ptr<const SafetensorsFile>>& files() const { return files_; }

 private:
  Status Add(const std::string& path);

  std::vector<std::shared_ptr<const SafetensorsFile>> files_;
  std::map<std::string_view, Found> tensors_;  // views into the files
};

// Adds every tensor of the model to `source`, under its GGUF name and in its order of rows.
// Errors name the folder and the tensor: one that is missing, has another shape or a dtype
// that is no float, or has no place in the architecture's graph.
Status AddHfTensors(const HfConfig& config, const HfShards& shards, ModelSource& source);

}  // namespace aio

#endif  // AIO_CONVERT_HF_WEIGHTS_H_
