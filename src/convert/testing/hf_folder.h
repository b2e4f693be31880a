// Tiny random models as folders of the kind that Hugging Face publishes. Not part of the program.
#ifndef AIO_CONVERT_TESTING_HF_FOLDER_H_
#define AIO_CONVERT_TESTING_HF_FOLDER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/testing/test_model.h"

namespace aio {

struct HfTensor {
  std::string dtype;
  std::vector<uint64_t> shape;
  std::vector<std::byte> data;
};

// Everything in a folder, to be changed before it is written.
struct HfFolder {
  nlohmann::json config;
  nlohmann::json tokenizer;
  nlohmann::json tokenizer_config;
  std::map<std::string, HfTensor> tensors;
  std::map<std::string, std::string> files;  // more of them, by name

  // In one safetensors file, or in so many shards with an index. An empty or null JSON value
  // is not written.
  void Write(const std::string& folder, int shards = 1) const;
};

// The weights of MakeRandomModel(spec) as `dtype` ("F32", "F16", "BF16") under Hugging Face's
// names, rows as GGUF has them; `hf_architecture` is "LlamaForCausalLM" and the like. The
// tokenizer is byte-level BPE with Qwen's pattern; spec.vocabulary_size is at least 300.
HfFolder MakeHfFolder(const TestModelSpec& spec, const std::string& hf_architecture,
                      const std::string& dtype = "F32");

// A safetensors file of `tensors`.
std::string EncodeSafetensors(const std::map<std::string, HfTensor>& tensors);

}  // namespace aio

#endif  // AIO_CONVERT_TESTING_HF_FOLDER_H_
