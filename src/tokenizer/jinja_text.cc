#include "tokenizer/jinja_text.h"

#include <algorithm>

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

// The meaning of a literal's text: \n, \t, \\, \' and \".
std::string ResolveEscapes(std::string_view literal) {
  std::string out;
  for (size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\' || i + 1 == literal.size()) {
      out += literal[i];
      continue;
    }
    const char escaped = literal[++i];
    out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  return out;
}

// Where the literal that is open at `at` ends: its closing quote, or for plain template
// text (`quote` is no quote) the next tag.
size_t LiteralEnd(std::string_view jinja, size_t at, char quote) {
  const bool quoted = quote == '\'' || quote == '"';
  for (size_t i = at; i < jinja.size(); ++i) {
    if (quoted && jinja[i] == '\\') {
      ++i;
    } else if (quoted ? jinja[i] == quote
                      : jinja.substr(i, 2) == "{{" || jinja.substr(i, 2) == "{%") {
      return i;
    }
  }
  return jinja.size();
}

}  // namespace

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
  std::string escaped_open;
  for (const char c : open) escaped_open += c == '\n' ? std::string("\\n") : std::string(1, c);
  for (size_t at = 0; at < jinja.size(); ++at) {
    const std::string_view rest = jinja.substr(at);
    const bool escaped = rest.starts_with(escaped_open);
    if (!escaped && !rest.starts_with(open)) continue;
    const size_t begin = at + (escaped ? escaped_open.size() : open.size());
    const char before = at == 0 ? ' ' : jinja[at - 1];
    const std::string_view literal = jinja.substr(begin, LiteralEnd(jinja, begin, before) - begin);
    const size_t end = literal.find(close);
    if (end == std::string_view::npos) continue;
    const std::string_view text = literal.substr(0, end);
    const bool quoted = before == '\'' || before == '"';
    return quoted ? ResolveEscapes(text) : std::string(text);
  }
  return std::nullopt;
}

std::optional<std::string> FindAssignedLiteral(std::string_view jinja, std::string_view variable) {
  for (const char quote : {'\'', '"'}) {
    const std::string assignment = "set " + std::string(variable) + " = " + quote;
    const size_t at = jinja.find(assignment);
    if (at == std::string_view::npos) continue;
    const size_t begin = at + assignment.size();
    return ResolveEscapes(jinja.substr(begin, LiteralEnd(jinja, begin, quote) - begin));
  }
  return std::nullopt;
}

}  // namespace aio
