#include "app/random_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace aio {

namespace {

constexpr int kMaxTokens = 80;  // longest answer
constexpr size_t kGivenBytesMax =
    1200;  // more of a given prompt would take long ten thousand times

constexpr std::string_view kPieces[] = {
    "The harbour of Elsby lies where the river Fenn meets the sea.",
    "def add(a, b):\n    \"\"\"Return the sum of a and b.\"\"\"\n    return a + b\n",
    "Anna has 7 apples and buys 8 more. How many apples does she have now?",
    "7 + 8 = 15. 15 + 8 = 23. 23 + 8 = 31.",
    "It was the best of times, it was the worst of times, it was the age of wisdom.",
    "for i in range(10):\n    total = total + values[i]\n    print(i, total)\n",
    "Die Größe der Schüssel beträgt 12 cm; naïve Öffnung übrigens.",
    "猫は窓のそばで眠っている。🙂 猫は起きた。",
    "{\"name\": \"Ada\", \"age\": 36, \"tags\": [\"a\", \"b\"]}",
    "Hello! How are you today?",
    "int Sum(const std::vector<int>& v) {\n  int s = 0;\n  for (int x : v) s += x;\n}\n",
    "    \t  \n\n  x = 1\n",
    "<|im_end|> is text here, and so is <s>.",
    "Which river flows through Elsby?",
};

std::string RandomPiece(RandomChoices& random) {
  return std::string(kPieces[random.Int(0, static_cast<int>(std::size(kPieces)) - 1)]);
}

std::string RandomText(RandomChoices& random) {
  switch (random.Int(0, 2)) {
    case 0: {  // sentences
      std::string text = RandomPiece(random);
      for (int i = random.Int(0, 2); i > 0; --i) text += " " + RandomPiece(random);
      return text;
    }
    case 1: {  // one again and again, with something in between
      const std::string piece = RandomPiece(random);
      std::string text;
      for (int i = random.Int(2, 3); i > 0; --i) {
        text += piece + fmt::format(" {}\n", random.Int(0, 9));
      }
      return text;
    }
    default: {  // its beginning, to be gone on with
      const std::string piece = RandomPiece(random);
      const auto cut = static_cast<size_t>(random.Int(1, static_cast<int>(piece.size())));
      std::string text = piece + "\n" + piece.substr(0, cut);
      text.resize(CompleteUtf8Prefix(text));
      return text;
    }
  }
}

std::vector<int32_t> RandomTokens(int count, int vocabulary_size, RandomChoices& random) {
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = random.Int(0, vocabulary_size - 1);
  return tokens;
}

// A fragment repeated, at times with a token replaced, the last time in part.
std::vector<int32_t> RepeatedTokens(int vocabulary_size, RandomChoices& random) {
  const std::vector<int32_t> fragment = RandomTokens(random.Int(1, 16), vocabulary_size, random);
  const int count = random.Int(4, 120);
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) {
    const bool is_kept = random.Int(1, 20) > 1;
    tokens.push_back(is_kept ? fragment[i % fragment.size()] : random.Int(0, vocabulary_size - 1));
  }
  return tokens;
}

std::vector<ChatMessage> RandomChat(RandomChoices& random) {
  std::vector<ChatMessage> messages;
  if (random.OneIn(3)) messages.push_back({"system", "Answer in one sentence."});
  if (random.OneIn(4)) {
    messages.push_back({"user", RandomPiece(random)});
    messages.push_back({"assistant", RandomPiece(random)});
  }
  const std::string text = RandomText(random);
  messages.push_back({"user", random.OneIn(2) ? text : "Repeat this: " + text});
  return messages;
}

void CutText(size_t bytes_max, std::string& text) {
  text.resize(std::min(text.size(), bytes_max));
  text.resize(CompleteUtf8Prefix(text));
}

Prompt GivenPrompt(const PromptSources& sources, RandomChoices& random) {
  const int last = static_cast<int>(sources.prompts.size()) - 1;
  std::vector<ChatMessage> messages = sources.prompts[random.Int(0, last)];
  for (ChatMessage& message : messages) {
    CutText(kGivenBytesMax / messages.size(), message.content);
  }
  if (sources.chats && !random.OneIn(3)) return messages;
  return messages.back().content;
}

Prompt RandomPrompt(const PromptSources& sources, RandomChoices& random) {
  const bool is_given = !sources.prompts.empty() && random.OneIn(2);
  if (is_given) return GivenPrompt(sources, random);
  switch (random.Int(0, sources.chats ? 4 : 2)) {
    case 0:
      return RandomTokens(random.Int(1, 120), sources.vocabulary_size, random);
    case 1:
      return RepeatedTokens(sources.vocabulary_size, random);
    case 2:
      return RandomText(random);
    default:
      return RandomChat(random);
  }
}

SamplingParams RandomSampling(int vocabulary_size, RandomChoices& random) {
  SamplingParams sampling;
  sampling.seed = random.Next();
  sampling.temperature = random.OneOf({0.0f, 0.0f, 0.0f, 0.2f, 0.7f, 1.0f, 1.5f});
  sampling.top_k = random.OneOf({0, 0, 0, 1, 5, 40});
  sampling.top_p = random.OneOf({1.0f, 1.0f, 1.0f, 0.9f, 0.3f});
  sampling.min_p = random.OneOf({0.0f, 0.0f, 0.0f, 0.05f, 0.5f});
  sampling.repetition_penalty = random.OneOf({1.0f, 1.0f, 1.0f, 1.3f, 0.8f});
  sampling.presence_penalty = random.OneOf({0.0f, 0.0f, 0.0f, 0.6f, -0.5f});
  sampling.frequency_penalty = random.OneOf({0.0f, 0.0f, 0.0f, 0.4f, -0.3f});
  for (int i = std::max(0, random.Int(-2, 2)); i > 0; --i) {
    sampling.logit_bias.emplace_back(random.Int(0, vocabulary_size - 1),
                                     random.OneOf({-100.0f, 1.0f, 4.0f}));
  }
  sampling.max_tokens = random.OneOf({random.Int(1, 3), random.Int(4, kMaxTokens),
                                      random.Int(kMaxTokens / 2, kMaxTokens),
                                      random.Int(kMaxTokens / 2, kMaxTokens)});
  sampling.ignore_eos = !random.OneIn(3);
  sampling.top_logprobs = random.OneIn(2) ? -1 : random.Int(0, 4);
  return sampling;
}

// Of three answers one is held to a format.
AnswerFormat RandomFormat(RandomChoices& random) {
  if (!random.OneIn(3)) return {};
  switch (random.Int(0, 4)) {
    case 0:
      return {AnswerFormatKind::kJsonObject, "", "response_format"};
    case 1:
      return {AnswerFormatKind::kJsonSchema,
              R"({"type":"object","properties":{"name":{"type":"string","minLength":1},
                  "age":{"type":"integer","minimum":0,"maximum":150},
                  "tags":{"type":"array","items":{"type":"string","maxLength":12}}},
                  "required":["name","age"]})",
              "response_format"};
    case 2:
      return {AnswerFormatKind::kRegex, "(?:[0-9]{1,3} \\+ [0-9]{1,3} = [0-9]{1,4}\\. ?)+",
              "structured_outputs.regex"};
    case 3:
      return {AnswerFormatKind::kChoice, R"(["yes, it is", "no, it is not", "7 apples"])",
              "structured_outputs.choice"};
    default:
      return {AnswerFormatKind::kGbnf,
              "root ::= item+\nitem ::= \"- \" [^\\n]{3,30} \"\\n\" | \"(\" item* \")\"",
              "grammar"};
  }
}

std::string_view DescribeFormat(const AnswerFormat& format) {
  switch (format.kind) {
    case AnswerFormatKind::kText:
      return "";
    case AnswerFormatKind::kJsonObject:
      return ", a JSON object";
    case AnswerFormatKind::kJsonSchema:
      return ", by a JSON schema";
    case AnswerFormatKind::kRegex:
      return ", by a regular expression";
    case AnswerFormatKind::kChoice:
      return ", of a choice";
    case AnswerFormatKind::kGbnf:
      return ", by a grammar";
  }
  return "";
}

std::string Excerpt(std::string_view text) {
  constexpr size_t kShown = 40;
  if (text.size() <= kShown) return fmt::format("{:?}", text);
  return fmt::format("{:?}...", text.substr(0, CompleteUtf8Prefix(text.substr(0, kShown))));
}

std::string DescribePrompt(const Prompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    return fmt::format("text of {} bytes {}", text->size(), Excerpt(*text));
  }
  if (const auto* tokens = std::get_if<std::vector<int32_t>>(&prompt)) {
    std::string line = fmt::format("{} tokens", tokens->size());
    for (size_t i = 0; i < std::min<size_t>(tokens->size(), 6); ++i) {
      line += fmt::format(" {}", (*tokens)[i]);
    }
    return line + (tokens->size() > 6 ? " ..." : "");
  }
  const auto& messages = std::get<std::vector<ChatMessage>>(prompt);
  return fmt::format("chat of {} messages, the last {}", messages.size(),
                     Excerpt(messages.back().content));
}

}  // namespace

RandomChoices::RandomChoices(uint64_t seed, uint64_t stream, uint64_t index) {
  const auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
  const auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
  std::seed_seq seeds{low(seed), high(seed), low(stream), high(stream), low(index), high(index)};
  engine_.seed(seeds);
}

int RandomChoices::Int(int min, int max) {
  // The remainder's bias is far below what any number of requests could show.
  return min + static_cast<int>(engine_() % (static_cast<uint64_t>(max - min) + 1));
}

Request RandomRequest(const PromptSources& sources, RandomChoices& random) {
  Request request;
  request.prompt = RandomPrompt(sources, random);
  request.sampling = RandomSampling(sources.vocabulary_size, random);
  request.format = RandomFormat(random);
  return request;
}

Strategy RandomParameters(const Strategy& preset, RandomChoices& random) {
  Strategy strategy = preset;
  if (strategy.kind == StrategyKind::kPlain) return strategy;
  strategy.prompt_lookup_max = random.Int(1, random.OneIn(4) ? kPromptLookupMax : 6);
  strategy.prompt_lookup_min = random.Int(1, strategy.prompt_lookup_max);
  strategy.num_speculative_tokens = random.Int(1, random.OneIn(2) ? kSpeculativeTokensMax : 4);
  return strategy;
}

std::string RandomStop(std::string_view text, RandomChoices& random) {
  std::vector<size_t> borders = {0};
  while (borders.back() < text.size()) {
    borders.push_back(borders.back() + DecodeUtf8(text.substr(borders.back())).length);
  }
  const int last = static_cast<int>(borders.size()) - 1;
  if (last == 0) return "";
  const int begin = random.Int(0, last - 1);
  const int end = std::min(last, begin + random.Int(1, 4));
  std::string stop(text.substr(borders[begin], borders[end] - borders[begin]));
  return IsValidUtf8(stop) ? stop : "";
}

void ShortenPrompt(Prompt& prompt) {
  if (auto* text = std::get_if<std::string>(&prompt)) {
    CutText(text->size() / 2 + 1, *text);
    if (text->empty()) *text = "x";
  } else if (auto* tokens = std::get_if<std::vector<int32_t>>(&prompt)) {
    tokens->resize(tokens->size() / 2 + 1);
  } else {
    auto& messages = std::get<std::vector<ChatMessage>>(prompt);
    messages.erase(messages.begin(), messages.end() - 1);
    std::string& content = messages.back().content;
    CutText(content.size() / 2, content);
  }
}

std::string DescribeRequest(const Request& request) {
  const SamplingParams& sampling = request.sampling;
  std::string line =
      fmt::format("{}: {}; temperature {}, seed {}", request.model, DescribePrompt(request.prompt),
                  sampling.temperature, sampling.seed);
  const auto add = [&](const char* name, auto value, auto usual) {
    if (value != usual) line += fmt::format(", {} {}", name, value);
  };
  add("top_k", sampling.top_k, 0);
  add("top_p", sampling.top_p, 1.0f);
  add("min_p", sampling.min_p, 0.0f);
  add("repetition_penalty", sampling.repetition_penalty, 1.0f);
  add("presence_penalty", sampling.presence_penalty, 0.0f);
  add("frequency_penalty", sampling.frequency_penalty, 0.0f);
  for (const auto& [token, bias] : sampling.logit_bias) {
    line += fmt::format(", bias {} on {}", bias, token);
  }
  add("max_tokens", sampling.max_tokens.value_or(0), 0);
  for (const std::string& stop : sampling.stop) line += fmt::format(", stop {:?}", stop);
  add("ignore_eos", sampling.ignore_eos, false);
  add("top_logprobs", sampling.top_logprobs, -1);
  line += DescribeFormat(request.format);
  return line;
}

}  // namespace aio
