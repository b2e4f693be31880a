#include "engine/prompt_encoding.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/request_checks.h"

namespace aio {

namespace {

Status Refuse(std::string_view param, std::string message) {
  return InvalidArgument(std::move(message)).WithParam(std::string(param));
}

Status CheckTokens(const std::vector<int32_t>& tokens, int vocabulary_size) {
  if (tokens.empty()) return Refuse("prompt", "the prompt is empty");
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= 0 && tokens[i] < vocabulary_size) continue;
    return Refuse("prompt", fmt::format("token {} of the prompt is {}; the model's tokens are 0 "
                                        "to {}",
                                        i, tokens[i], vocabulary_size - 1));
  }
  return Status::Ok();
}

// A conversation or text as pieces; token prompts are the caller's.
Result<std::vector<TextPiece>> RenderPrompt(const EmbeddedModel& model, const Prompt& prompt,
                                            const ChatOptions& options) {
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    if (text->empty()) return Refuse("prompt", "the prompt is empty");
    return std::vector<TextPiece>{{*text, /*is_template=*/false}};
  }
  return RenderChat(model, std::get<std::vector<ChatMessage>>(prompt), options);
}

// Takes tokens out of the middle of those between the first `before` and the last `after`, so
// that a window of them stays.
void KeepWindow(size_t before, size_t after, int window_tokens, std::vector<int32_t>& tokens) {
  const auto window = static_cast<size_t>(window_tokens);
  const size_t between = tokens.size() - before - after;
  if (window == 0 || between <= window) return;
  const size_t last = window / 2;
  const size_t first = window - last;
  const auto begin = tokens.begin() + static_cast<ptrdiff_t>(before);
  tokens.erase(begin + static_cast<ptrdiff_t>(first),
               begin + static_cast<ptrdiff_t>(between - last));
}

// How many tokens at the beginning of `tokens` come of the template's prefix alone, and how many
// at the end of its suffix: text beside them may have merged with theirs.
size_t SharedBeginning(const std::vector<int32_t>& prefix, const std::vector<int32_t>& tokens) {
  return static_cast<size_t>(
      std::mismatch(prefix.begin(), prefix.end(), tokens.begin(), tokens.end()).first -
      prefix.begin());
}
size_t SharedEnd(const std::vector<int32_t>& suffix, const std::vector<int32_t>& tokens) {
  return static_cast<size_t>(
      std::mismatch(suffix.rbegin(), suffix.rend(), tokens.rbegin(), tokens.rend()).first -
      suffix.rbegin());
}

void Append(std::vector<int32_t> more, std::vector<int32_t>& tokens) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

}  // namespace

Result<std::vector<TextPiece>> RenderChat(const EmbeddedModel& model,
                                          const std::vector<ChatMessage>& messages,
                                          const ChatOptions& options) {
  if (!model.chat_template) {
    return Refuse("messages",
                  fmt::format("model \"{}\" has no chat template; send it a text prompt, or force "
                              "one of the templates {}",
                              model.name, fmt::join(ChatTemplate::Families(), ", ")));
  }
  if (messages.empty()) return Refuse("messages", "there are no messages");
  std::vector<ChatTurn> turns;
  turns.reserve(messages.size());
  for (const ChatMessage& message : messages) {
    ChatTurn& turn = turns.emplace_back();
    turn.role = message.role;
    turn.content = message.content;
    turn.call_id = message.tool_call_id;
    turn.calls.reserve(message.tool_calls.size());
    for (const ToolCall& call : message.tool_calls) {
      turn.calls.push_back({call.id, call.name, call.arguments});
    }
  }
  return model.chat_template->Render(turns, options);
}

Result<std::vector<int32_t>> EncodePrompt(const EmbeddedModel& model, const Prompt& prompt,
                                          std::string_view tools) {
  const Tokenizer& tokenizer = *model.tokenizer;
  if (const auto* given = std::get_if<std::vector<int32_t>>(&prompt)) {
    AIO_RETURN_IF_ERROR(CheckTokens(*given, tokenizer.vocabulary_size()));
    return *given;
  }
  AIO_ASSIGN_OR_RETURN(
      const std::vector<TextPiece> pieces,
      RenderPrompt(model, prompt, {.add_generation_prompt = true, .tools = tools}));
  std::vector<int32_t> tokens = tokenizer.Encode(pieces, /*add_bos=*/true);
  if (tokens.empty()) return Refuse(PromptParam(prompt), "the prompt has no tokens");
  return tokens;
}

Result<int> FewestPromptTokens(const EmbeddedModel& model, const Prompt& prompt,
                               std::string_view tools) {
  if (std::holds_alternative<std::vector<int32_t>>(prompt)) return 0;  // nothing to encode
  AIO_ASSIGN_OR_RETURN(
      const std::vector<TextPiece> pieces,
      RenderPrompt(model, prompt, {.add_generation_prompt = true, .tools = tools}));
  size_t bytes = 0;
  for (const TextPiece& piece : pieces) bytes += piece.is_template ? 0 : piece.text.size();
  // Encoding less takes no longer than the look at the vocabulary.
  constexpr size_t kLongBytes = 64 << 10;
  if (bytes < kLongBytes) return 0;
  const Tokenizer& tokenizer = *model.tokenizer;
  size_t longest = 1;
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    longest = std::max(longest, tokenizer.TokenBytes(id).size());
  }
  return static_cast<int>(bytes / longest);
}

Result<std::vector<int32_t>> EncodeProbe(const EmbeddedModel& model, const Prompt& prompt,
                                         const LabelQuery& query, std::string_view tools) {
  const Tokenizer& tokenizer = *model.tokenizer;
  if (const auto* given = std::get_if<std::vector<int32_t>>(&prompt)) {
    AIO_RETURN_IF_ERROR(CheckTokens(*given, tokenizer.vocabulary_size()));
    std::vector<int32_t> tokens = tokenizer.EncodeTemplate(query.prefix, /*add_bos=*/false);
    const size_t before = tokens.size();
    Append(*given, tokens);
    const size_t end = tokens.size();
    Append(tokenizer.EncodeTemplate(query.suffix, /*add_bos=*/false), tokens);
    KeepWindow(before, tokens.size() - end, query.window_tokens, tokens);
    return tokens;
  }
  AIO_ASSIGN_OR_RETURN(
      std::vector<TextPiece> rendered,
      RenderPrompt(model, prompt, {.add_generation_prompt = false, .tools = tools}));
  std::vector<TextPiece> pieces;
  if (!query.prefix.empty()) pieces.push_back({query.prefix, /*is_template=*/true});
  std::move(rendered.begin(), rendered.end(), std::back_inserter(pieces));
  if (!query.suffix.empty()) pieces.push_back({query.suffix, /*is_template=*/true});
  std::vector<int32_t> tokens = tokenizer.Encode(pieces, /*add_bos=*/true);
  if (tokens.empty()) return Refuse(PromptParam(prompt), "the prompt has no tokens");
  if (query.window_tokens == 0 || tokens.size() <= static_cast<size_t>(query.window_tokens)) {
    return tokens;
  }
  const size_t before =
      SharedBeginning(tokenizer.EncodeTemplate(query.prefix, /*add_bos=*/true), tokens);
  const size_t after = SharedEnd(tokenizer.EncodeTemplate(query.suffix, /*add_bos=*/false), tokens);
  // Prefix and suffix overlap where both are like what stands between.
  if (before + after < tokens.size()) KeepWindow(before, after, query.window_tokens, tokens);
  return tokens;
}

namespace {

// Where the last text that is not the template's is found in the encoding of all `pieces`; all of
// it if there is none.
TokenRange FindLastText(const Tokenizer& tokenizer, std::span<const TextPiece> pieces,
                        const std::vector<int32_t>& tokens) {
  const TokenRange all{0, static_cast<int>(tokens.size())};
  size_t last = pieces.size();
  while (last > 0 && (pieces[last - 1].is_template || pieces[last - 1].text.empty())) --last;
  if (last == 0) return all;
  const std::vector<int32_t> before = tokenizer.Encode(pieces.first(last - 1), /*add_bos=*/true);
  const std::vector<int32_t> after = tokenizer.Encode(pieces.subspan(last), /*add_bos=*/false);
  const TokenRange text{static_cast<int>(SharedBeginning(before, tokens)),
                        static_cast<int>(tokens.size() - SharedEnd(after, tokens))};
  return text.size() > 0 ? text : all;
}

}  // namespace

Result<HeadPrompt> EncodeForHead(const EmbeddedModel& model, const Prompt& prompt,
                                 std::vector<int32_t> tokens, int window_tokens,
                                 std::string_view tools) {
  HeadPrompt head;
  head.text = {0, static_cast<int>(tokens.size())};
  if (!std::holds_alternative<std::vector<int32_t>>(prompt)) {
    AIO_ASSIGN_OR_RETURN(
        const std::vector<TextPiece> pieces,
        RenderPrompt(model, prompt, {.add_generation_prompt = true, .tools = tools}));
    head.text = FindLastText(*model.tokenizer, pieces, tokens);
  }
  head.tokens = std::move(tokens);
  head.tokens.resize(head.text.end);
  KeepWindow(head.text.begin, 0, window_tokens, head.tokens);
  head.text.end = static_cast<int>(head.tokens.size());
  return head;
}

Result<std::vector<int32_t>> EncodeLabels(const EmbeddedModel& model, const LabelQuery& query) {
  const Tokenizer& tokenizer = *model.tokenizer;
  if (query.labels.empty()) return Refuse("labels", "there are no labels");
  const TextPiece suffix{query.suffix, /*is_template=*/true};
  const std::vector<int32_t> before = tokenizer.Encode(std::span(&suffix, 1), /*add_bos=*/false);
  std::vector<int32_t> first_tokens;
  for (const LabelQuery::Label& label : query.labels) {
    const TextPiece pieces[] = {suffix, {label.word, /*is_template=*/false}};
    const std::vector<int32_t> with_word = tokenizer.Encode(pieces, /*add_bos=*/false);
    if (label.word.empty() || with_word.empty()) {
      return Refuse("labels", fmt::format("the word of label \"{}\" is empty", label.name));
    }
    // What the model would say is only comparable when it follows the suffix as it stands.
    if (with_word.size() <= before.size() ||
        !std::equal(before.begin(), before.end(), with_word.begin())) {
      return Refuse("labels",
                    fmt::format("the word \"{}\" of label \"{}\" merges with the end of the "
                                "template's suffix into one token; end the suffix with a line "
                                "break or a special token, not with a space or a letter",
                                label.word, label.name));
    }
    const int32_t first = with_word[before.size()];
    const auto same = std::find(first_tokens.begin(), first_tokens.end(), first);
    if (same != first_tokens.end()) {
      return Refuse("labels",
                    fmt::format("labels \"{}\" and \"{}\" cannot be told apart: under model "
                                "\"{}\" both words begin with token {} (\"{}\")",
                                query.labels[same - first_tokens.begin()].name, label.name,
                                model.name, first, tokenizer.TokenPiece(first)));
    }
    first_tokens.push_back(first);
  }
  return first_tokens;
}

Result<std::vector<int32_t>> LabelEncoder::Encode(const EmbeddedModel& model,
                                                  const LabelQuery& query) {
  {
    std::lock_guard lock(mutex_);
    if (!tokens_.empty() && query == query_) return tokens_;
  }
  AIO_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, EncodeLabels(model, query));
  std::lock_guard lock(mutex_);
  query_ = query;
  tokens_ = tokens;
  return tokens;
}

}  // namespace aio
