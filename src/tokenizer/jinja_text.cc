#include "tokenizer/jinja_text.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "formats/gguf.h"

namespace aio {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

size_t Count(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// `mark` at the start or the end of a string literal of either kind.
bool StartsLiteral(std::string_view jinja, const std::string& mark) {
  return Contains(jinja, "'" + mark) || Contains(jinja, "\"" + mark);
}
bool EndsLiteral(std::string_view jinja, const std::string& mark) {
  return Contains(jinja, mark + "'") || Contains(jinja, mark + "\"");
}

std::string_view RecogniseInstruct(std::string_view jinja) {
  if (Contains(jinja, "[SYSTEM_PROMPT]")) {
    return EndsLiteral(jinja, "[INST] ") ? "mistral-v7" : "mistral-v7-tekken";
  }
  if (Contains(jinja, "<<SYS>>")) return "llama-2";
  if (StartsLiteral(jinja, " [INST]")) return "mistral-v1";
  if (Contains(jinja, "[AVAILABLE_TOOLS]")) {
    return EndsLiteral(jinja, "[INST] ") ? "mistral-v3" : "mistral-v3-tekken";
  }
  return EndsLiteral(jinja, "[INST] ") ? "mistral-v0" : "";
}

std::string_view RecogniseAngleRoles(std::string_view jinja, std::string_view eos_piece) {
  if (Contains(jinja, "<|end|>")) {
    if (Contains(jinja, "<|channel|>")) return "";  // harmony
    return Contains(jinja, "<|tool|>") ? "phi-4-mini" : "phi-3";
  }
  const bool user_turn_ends =
      Count(jinja, "content'] + eos_token") >= 2 || Count(jinja, "<|endoftext|>") >= 2;
  if (!Contains(jinja, "<|user|>") || !user_turn_ends) return "";
  if (Contains(jinja, "<|endoftext|>") || eos_piece == "<|endoftext|>") return "stablelm-zephyr";
  return eos_piece == "</s>" ? "zephyr" : "";
}

// A string literal or a stretch of plain template text, escapes resolved.
struct Literal {
  size_t begin;  // of its text, in the template
  std::string text;
};

// All of them, in order, by one walk: what looks like a quote is one inside a tag only, and
// what looks like a tag is none inside a string.
std::vector<Literal> ReadLiterals(std::string_view jinja) {
  std::vector<Literal> literals = {{0, ""}};
  std::string_view tag_end;  // while a tag is open
  char quote = 0;            // while a string is open in it
  for (size_t i = 0; i < jinja.size(); ++i) {
    const std::string_view two = jinja.substr(i, 2);
    if (quote != 0) {
      if (jinja[i] == quote) {
        quote = 0;
      } else if (jinja[i] == '\\' && two.size() == 2) {
        ++i;
        literals.back().text += two[1] == 'n' ? '\n' : two[1] == 't' ? '\t' : two[1];
      } else {
        literals.back().text += jinja[i];
      }
    } else if (!tag_end.empty()) {
      if (two == tag_end) {
        tag_end = {};
        ++i;
        literals.push_back({i + 1, ""});
      } else if (tag_end != "#}" && (jinja[i] == '\'' || jinja[i] == '"')) {
        quote = jinja[i];
        literals.push_back({i + 1, ""});
      }
    } else if (two == "{{" || two == "{%" || two == "{#") {
      tag_end = two == "{{" ? "}}" : two == "{%" ? "%}" : "#}";
      ++i;
    } else {
      literals.back().text += jinja[i];
    }
  }
  return literals;
}

}  // namespace

Result<std::string_view> ReadJinja(const GgufFile& file) {
  constexpr char kKey[] = "tokenizer.chat_template";
  AIO_ASSIGN_OR_RETURN(const std::string_view jinja, file.GetString(kKey));
  if (jinja.size() > kMaxJinjaBytes) {
    return InvalidArgument(fmt::format("{}: metadata key \"{}\" has {} bytes; expected at most {}",
                                       file.path(), kKey, jinja.size(), kMaxJinjaBytes));
  }
  return jinja;
}

std::string_view RecogniseChatFamily(std::string_view jinja, std::string_view eos_piece) {
  if (Contains(jinja, "[unused9]") && Contains(jinja, "[unused10]")) return "pangu";
  if (Contains(jinja, "<|im_start|>")) {
    if (Contains(jinja, "<end_of_utterance>")) return "";  // not ChatML in spite of its marker
    return Contains(jinja, "<|im_sep|>") ? "phi-4" : "chatml";
  }
  if (Contains(jinja, "<|start_header_id|>") && Contains(jinja, "<|eot_id|>")) {
    // Some tool-calling fine-tunes of Llama 3.1 write another system message.
    const bool dates = Contains(jinja, "Cutting Knowledge Date");
    return dates && !Contains(jinja, "Today Date: ") ? "" : "llama-3";
  }
  if (Contains(jinja, "[INST]")) return RecogniseInstruct(jinja);
  if (Contains(jinja, "### Instruction:") && Contains(jinja, "<|EOT|>")) return "deepseek-coder";
  if (Contains(jinja, "'Assistant: ' + message['content'] + eos_token")) return "deepseek-llm";
  if (Contains(jinja, "<｜User｜>") && Contains(jinja, "<｜Assistant｜>")) {
    // DeepSeek-V3.1 and later switch thinking on and off within the markers.
    return Contains(jinja, "thinking") ? "" : "deepseek-v3";
  }
  if (Contains(jinja, "<|assistant|>")) return RecogniseAngleRoles(jinja, eos_piece);
  return "";
}

std::optional<std::string> FindLiteralBetween(std::string_view jinja, std::string_view open,
                                              std::string_view close) {
  for (const Literal& literal : ReadLiterals(jinja)) {
    const size_t at = literal.text.find(open);
    if (at == std::string::npos) continue;
    const size_t begin = at + open.size();
    const size_t end = literal.text.find(close, begin);
    if (end != std::string::npos) return literal.text.substr(begin, end - begin);
  }
  return std::nullopt;
}

std::optional<std::string> FindAssignedLiteral(std::string_view jinja, std::string_view variable) {
  const std::string assignment = "set " + std::string(variable) + " = ";
  for (const Literal& literal : ReadLiterals(jinja)) {
    // Before a string's text stands its quote.
    if (literal.begin == 0) continue;
    if (jinja.substr(0, literal.begin - 1).ends_with(assignment)) return literal.text;
  }
  return std::nullopt;
}

}  // namespace aio
