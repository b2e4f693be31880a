#include "convert/hf_pretokenizer.h"

#include <fmt/format.h>

#include <vector>

#include "formats/quote.h"
#include "tokenizer/pretokenizer_families.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// What "ByteLevel" cuts by, unless its use_regex is false (openai/gpt-2, encoder.py).
constexpr char kGpt2Pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

std::string TypeOf(const Json& step) {
  const auto type = step.is_object() ? step.find("type") : step.end();
  return step.is_object() && type != step.end() && type->is_string() ? type->get<std::string>()
                                                                     : "?";
}

bool IsTrue(const Json& step, const char* key, bool absent) {
  const auto value = step.find(key);
  return value == step.end() || !value->is_boolean() ? absent : value->get<bool>();
}

// The patterns of a pre-tokenizer, in their order.
class StageReader {
 public:
  // False if there is a step that is no pattern; fault() says which.
  bool Read(const Json& step) {
    const std::string type = TypeOf(step);
    if (type == "Sequence") {
      const auto steps = step.find("pretokenizers");
      if (steps == step.end() || !steps->is_array()) return Fail(type);
      for (const Json& inner : *steps) {
        // A sequence in a sequence is no file that anybody has, only a way to exhaust a stack.
        if (TypeOf(inner) == "Sequence" || !Read(inner)) return Fail(TypeOf(inner));
      }
      return true;
    }
    if (type == "Split") return ReadSplit(step);
    if (type == "ByteLevel") {
      if (IsTrue(step, "add_prefix_space", true)) return Fail("ByteLevel with add_prefix_space");
      if (IsTrue(step, "use_regex", true)) stages_.emplace_back(kGpt2Pattern);
      return true;
    }
    if (type == "Digits") {
      stages_.emplace_back(IsTrue(step, "individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)");
      return true;
    }
    return Fail(type);
  }

  const std::vector<std::string>& stages() const { return stages_; }
  const std::string& fault() const { return fault_; }

 private:
  bool Fail(const std::string& what) {
    if (fault_.empty()) fault_ = what;
    return false;
  }

  // The matches become words; what lies between them is kept, or there is nothing between.
  bool ReadSplit(const Json& step) {
    const auto pattern = step.find("pattern");
    if (pattern == step.end() || !pattern->is_object()) return Fail("Split");
    const auto regex = pattern->find("Regex");
    const auto behavior = step.find("behavior");
    if (regex == pattern->end() || !regex->is_string() || behavior == step.end() ||
        !behavior->is_string()) {
      return Fail("Split");
    }
    const bool keeps_matches =
        *behavior == "Isolated" || (*behavior == "Removed" && IsTrue(step, "invert", false));
    if (!keeps_matches) return Fail("Split with another behavior than Isolated");
    stages_.push_back(regex->get<std::string>());
    return true;
  }

  std::vector<std::string> stages_;
  std::string fault_;
};

}  // namespace

Result<std::string> FindPretokenizerName(const JsonObject& json, bool ignore_merges) {
  const auto unknown = [&](std::string_view found) {
    return json.Unsupported(
        "pre_tokenizer",
        fmt::format("{} is none that is known; where the model's authors say which it is, name it "
                    "with --pre (one of {})",
                    found, SupportedPretokenizers()));
  };
  const Json* value = json.Find("pre_tokenizer");
  if (value == nullptr) return unknown("none");
  StageReader reader;
  if (!reader.Read(*value)) return unknown(QuoteForMessage(reader.fault()));
  const PretokenizerFamily* family = MatchPretokenizerFamily(reader.stages(), ignore_merges);
  if (family != nullptr) return std::string(family->name);
  std::string found;
  for (const std::string& stage : reader.stages()) {
    found += (found.empty() ? "" : ", ") + QuoteForMessage(stage);
  }
  return unknown(fmt::format("{}{}", found, ignore_merges ? " with ignore_merges" : ""));
}

}  // namespace aio
