// Any JSON as tokenizer.json and tokenizer_config.json: a vocabulary or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "convert/hf_vocabulary.h"
#include "convert/json_file.h"

namespace aio {
namespace {

void Convert(const JsonObject& json) {
  constexpr int kSize = 300;
  Result<HfVocabulary> vocabulary = ReadTokenizerJson(json, kSize, "");
  for (const auto& added : {ReadAddedTokens(json), ReadAddedTokensDecoder(json)}) {
    if (!added.ok() || !vocabulary.ok()) continue;
    for (const HfAddedToken& token : *added) PutAddedToken(token, *vocabulary);
  }
  if (!vocabulary.ok()) {
    AIO_CHECK(vocabulary.status().message().starts_with("input.json: "), "an error names the file");
    return;
  }
  FillGaps(*vocabulary);
  AIO_CHECK(vocabulary->tokens.size() == kSize && vocabulary->kinds.size() == kSize);
}

}  // namespace
}  // namespace aio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = aio::ParseJsonObject(text, "input.json");
  if (json.ok()) aio::Convert(aio::JsonObject(*json, "input.json"));
  return 0;
}
