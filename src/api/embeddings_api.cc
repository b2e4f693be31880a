#include "api/embeddings_api.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "api/faults.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "api/object_reader.h"
#include "api/request_parts.h"

namespace aio {
namespace {

constexpr std::string_view kExpected =
    "a string, an array of token ids, or an array of strings or of arrays of token ids";

Status DecodeTokens(const nlohmann::json& array, const std::string& path,
                    std::vector<int32_t>& tokens) {
  tokens.reserve(array.size());
  for (size_t i = 0; i < array.size(); ++i) {
    AIO_RETURN_IF_ERROR(ReadInt(array[i], fmt::format("{}[{}]", path, i),
                                {.min = 0, .max = std::numeric_limits<int32_t>::max()},
                                tokens.emplace_back()));
  }
  return Status::Ok();
}

Status DecodeInput(const nlohmann::json& json, const std::string& path, Prompt& input) {
  if (!json.is_string() && !json.is_array()) return WrongType(path, kExpected, json);
  if (json.empty() || json == "") {
    return BadValue(path, "it is empty; give a text or at least one token id.");
  }
  if (json.is_array()) return DecodeTokens(json, path, input.emplace<std::vector<int32_t>>());
  input = json.get<std::string>();
  return Status::Ok();
}

Status DecodeInputs(const ObjectReader& body, std::vector<Prompt>& inputs) {
  const nlohmann::json* json = body.Find("input");
  if (json == nullptr) return MissingField("input", kExpected);
  const bool is_batch =
      json->is_array() && !json->empty() && (json->front().is_string() || json->front().is_array());
  if (!is_batch) return DecodeInput(*json, "input", inputs.emplace_back());
  if (json->size() > kEmbeddingInputsMax) {
    return BadValue("input", fmt::format("{} inputs were given; give at most {}.", json->size(),
                                         kEmbeddingInputsMax));
  }
  inputs.reserve(json->size());
  for (size_t i = 0; i < json->size(); ++i) {
    AIO_RETURN_IF_ERROR(
        DecodeInput((*json)[i], fmt::format("input[{}]", i), inputs.emplace_back()));
  }
  return Status::Ok();
}

Status DecodeFormat(const ObjectReader& body, bool& base64) {
  if (body.Find("encoding_format") == nullptr) return Status::Ok();
  std::string format;
  AIO_RETURN_IF_ERROR(body.ReadRequired("encoding_format", "\"float\" or \"base64\"", format));
  base64 = format == "base64";
  if (base64 || format == "float") return Status::Ok();
  return BadValue("encoding_format", "give \"float\" or \"base64\".");
}

// The shortest digits that give the float back.
void AppendNumber(float value, std::string& text) {
  if (!std::isfinite(value)) {
    text += "null";
    return;
  }
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

void AppendNumbers(const std::vector<float>& values, std::string& text) {
  text += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ',';
    AppendNumber(values[i], text);
  }
  text += ']';
}

std::string Base64(const std::vector<float>& values) {
  std::vector<unsigned char> bytes;
  bytes.reserve(values.size() * sizeof(float));
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<unsigned char>(bits >> shift & 0xFF));
    }
  }
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a zero
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace

Result<EmbeddingsRequest> DecodeEmbeddingsRequest(std::string_view text) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  const ObjectReader body(json);
  EmbeddingsRequest out;
  AIO_RETURN_IF_ERROR(DecodeModel(body, out.query.model));
  AIO_RETURN_IF_ERROR(DecodeInputs(body, out.query.inputs));
  AIO_RETURN_IF_ERROR(DecodeFormat(body, out.base64));
  if (body.Find("dimensions") != nullptr) {
    return Unsupported("dimensions", "Embeddings have the model's hidden size; leave it out.");
  }
  return out;
}

// Written as it goes: a batch may have millions of numbers, and whoever waits for the thread that
// encodes them waits for an engine.
std::string EncodeEmbeddings(const Embeddings& embeddings, bool base64) {
  std::string text = R"({"object":"list","data":[)";
  for (size_t i = 0; i < embeddings.vectors.size(); ++i) {
    if (i > 0) text += ',';
    text += fmt::format(R"({{"object":"embedding","index":{},"embedding":)", i);
    if (base64) {
      text += '"' + Base64(embeddings.vectors[i]) + '"';
    } else {
      AppendNumbers(embeddings.vectors[i], text);
    }
    text += '}';
  }
  text += fmt::format(R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                      ToText(OrderedJson(embeddings.model)), embeddings.prompt_tokens,
                      embeddings.prompt_tokens);
  return text;
}

}  // namespace aio
