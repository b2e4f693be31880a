#include "tokenizer/pretokenizer_families.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <vector>

#include "base/utf8.h"

namespace aio {
namespace {

using Stages = std::string_view[];

// Each pattern is the one the model's authors publish in `pre_tokenizer` of tokenizer.json
// (for GPT-2 and its kin: encoder.py of openai/gpt-2; for GPT-4o: tiktoken's o200k_base).
// tokenizer.json's "Digits" is \p{N}, its "Punctuation" is \p{P} and the ASCII symbols.

// openai/gpt-2; also tokenizer.json's "ByteLevel".
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr Stages kGpt2 = {kGpt2Pattern};

// What engines use when a file names none (older conversions of several models).
constexpr Stages kDefault = {R"([\p{P}$+<=>^~|]+)", kGpt2Pattern, R"(\p{N}+)",
                             R"([0-9][0-9][0-9])"};

// meta-llama/Meta-Llama-3-8B.
constexpr Stages kLlama3 = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                            R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

// Qwen/Qwen2-7B.
constexpr Stages kQwen2 = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                           R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

// Qwen/Qwen3.5: combining marks belong to words.
constexpr Stages kQwen35 = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)"
                            R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

constexpr std::string_view kNewline = R"([\r\n])";
constexpr std::string_view kCjkAndHangul =
    R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";

// deepseek-ai/deepseek-coder-6.7b-base.
constexpr Stages kDeepseekCoder = {kNewline, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjkAndHangul,
                                   R"(\p{N})"};

// deepseek-ai/deepseek-llm-7b-base. The letters are those with case (Unicode 12), as listed
// there. `\s+$` is written so that a search does not retry within a run of spaces.
constexpr Stages kDeepseekLlm = {
    kNewline,
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
    R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386})"
    R"(\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F})"
    R"(\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA})"
    R"(\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15})"
    R"(\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4})"
    R"(\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4})"
    R"(\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124})"
    R"(\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F})"
    R"(\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F})"
    R"(\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17})"
    R"(\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3})"
    R"(\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF})"
    R"(\x{1E900}-\x{1E943}]+)",
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)",
    R"((?<!\s)\s+\z)",
    kCjkAndHangul,
    R"(\p{N})"};

// deepseek-ai/DeepSeek-V3.
constexpr Stages kDeepseekV3 = {
    R"(\p{N}{1,3})", R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)",
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

// bigcode/starcoder: single digits, then GPT-2.
constexpr Stages kStarcoder = {R"(\p{N})", kGpt2Pattern};

// tiiuae/falcon-7b.
constexpr Stages kFalcon = {R"([\p{P}$+<=>^~|`]+)", kGpt2Pattern, R"([0-9][0-9][0-9])"};

// bigscience/bloom; LumiOpen/Viking-7B adds single digits.
constexpr std::string_view kBloomPattern =
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";
constexpr Stages kBloom = {kBloomPattern};
constexpr Stages kViking = {kBloomPattern, R"(\p{N})"};

// mistralai/Mistral-Nemo-Instruct-2407.
constexpr Stages kTekken = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

// tiktoken o200k_base.
constexpr Stages kGpt4o = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

// ByteDance-Seed/Seed-Coder-8B-Base.
constexpr Stages kSeedCoder = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}|)"
                               R"( ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)"};

constexpr PretokenizerFamily kFamilies[] = {
    {"default", "", kDefault},
    {"gpt-2", "mpt olmo phi-2 exaone4 mellum gigachat a.x-4.0 jais trillion granite-docling",
     kGpt2},
    {"llama-bpe", "llama-v3 llama3 falcon3 falcon-h1 pixtral midm-2.0 lfm2", kLlama3,
     /*ignore_merges=*/true, /*adds_bos=*/true},
    {"smaug-bpe", "dbrx chatglm-bpe glm4", kLlama3},
    {"qwen2", "qwen3 deepseek-r1-qwen stablelm2 megrez hunyuan grok-2 solar-open kormo", kQwen2},
    {"qwen35", "", kQwen35},
    {"deepseek-coder", "", kDeepseekCoder},
    {"deepseek-llm", "", kDeepseekLlm},
    {"deepseek-v3", "hunyuan-dense joyai-llm", kDeepseekV3},
    {"starcoder", "refact smollm codeshell command-r exaone minerva-7b mellum2", kStarcoder},
    {"falcon", "", kFalcon},
    {"bloom", "poro-chat gpt3-finnish", kBloom},
    {"viking", "", kViking},
    {"tekken", "", kTekken, /*ignore_merges=*/true, /*adds_bos=*/true},
    {"gpt-4o", "llama4 kanana2", kGpt4o},
    {"seed-coder", "", kSeedCoder},
};

// Every name of `family`: its own and its aliases.
std::vector<std::string_view> NamesOf(const PretokenizerFamily& family) {
  std::vector<std::string_view> names = {family.name};
  std::string_view rest = family.aliases;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    names.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

// `pattern` with every \x{...} as the character it stands for, and line breaks as \r and \n:
// tokenizer.json has them one way or the other.
std::string SpellOut(std::string_view pattern) {
  constexpr std::string_view kEscape = "\\x{";
  std::string out;
  while (!pattern.empty()) {
    uint32_t code = 0;
    const char* end = pattern.data() + pattern.size();
    if (pattern.starts_with(kEscape)) {
      const auto [rest, error] = std::from_chars(pattern.data() + kEscape.size(), end, code, 16);
      if (error == std::errc() && rest != end && *rest == '}') {
        AppendUtf8(code, out);
        pattern.remove_prefix(static_cast<size_t>(rest + 1 - pattern.data()));
        continue;
      }
    }
    const char first = pattern.front();
    if (first == '\r' || first == '\n') {
      out += first == '\r' ? "\\r" : "\\n";
    } else {
      out += first;
    }
    pattern.remove_prefix(1);
  }
  return out;
}

}  // namespace

const PretokenizerFamily* MatchPretokenizerFamily(std::span<const std::string> stages,
                                                  bool ignore_merges) {
  const auto same = [](std::string_view known, const std::string& wanted) {
    return SpellOut(known) == SpellOut(wanted);
  };
  for (const PretokenizerFamily& family : kFamilies) {
    if (family.ignore_merges == ignore_merges &&
        std::equal(family.stages.begin(), family.stages.end(), stages.begin(), stages.end(),
                   same)) {
      return &family;
    }
  }
  return nullptr;
}

const PretokenizerFamily* FindPretokenizerFamily(std::string_view name) {
  for (const PretokenizerFamily& family : kFamilies) {
    const std::vector<std::string_view> names = NamesOf(family);
    if (std::find(names.begin(), names.end(), name) != names.end()) return &family;
  }
  return nullptr;
}

std::string SupportedPretokenizers() {
  std::vector<std::string_view> names;
  for (const PretokenizerFamily& family : kFamilies) {
    for (const std::string_view name : NamesOf(family)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

}  // namespace aio
