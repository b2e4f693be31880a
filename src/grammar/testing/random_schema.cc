#include "grammar/testing/random_schema.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "grammar/token_matcher.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

class SchemaMaker {
 public:
  explicit SchemaMaker(std::mt19937& random) : random_(random) {}

  Json Make(int depth) {
    switch (Int(0, depth > 0 ? 11 : 7)) {
      case 0:
        return String();
      case 1:
        return {{"type", "boolean"}};
      case 2:
        return Number("integer");
      case 3:
        return Number("number");
      case 4:
        return {{"enum", Json::array({"red", 1, nullptr, Json::array({1, "x"}), "\"\\\n"})}};
      case 5:
        return {{"type", Json::array({"string", "null"})}};
      case 6:
        return Patterned();
      case 7:
        return {{"const", Json{{"k", 1.5}}}};
      case 8:
        return {{"anyOf", Json::array({Make(depth - 1), Make(depth - 1)})}};
      case 9:
        return Array(depth - 1);
      default:
        return Object(depth - 1);
    }
  }

 private:
  int Int(int min, int max) { return std::uniform_int_distribution<int>(min, max)(random_); }

  Json String() {
    Json schema = {{"type", "string"}};
    const int min = Int(0, 1) * Int(0, 30);
    if (min > 0) schema["minLength"] = min;
    if (Int(0, 2) > 0) schema["maxLength"] = min + Int(0, 40);
    return schema;
  }

  Json Patterned() {
    constexpr const char* kPatterns[] = {"^[a-z]{2,40}$",  "^(ab|cd)+$", "x\\d*",
                                         "^\"\\\\?[!-~]$", "^[^a]*$",    "^(\\w+ ){1,3}end$"};
    return {{"type", "string"}, {"pattern", kPatterns[Int(0, 5)]}};
  }

  Json Number(const char* type) {
    Json schema = {{"type", type}};
    const int min = Int(-300, 300);
    if (Int(0, 1) == 1) schema[Int(0, 1) == 1 ? "minimum" : "exclusiveMinimum"] = min;
    if (Int(0, 1) == 1) schema[Int(0, 1) == 1 ? "maximum" : "exclusiveMaximum"] = min + Int(2, 900);
    return schema;
  }

  Json Array(int depth) {
    Json schema = {{"type", "array"}};
    if (Int(0, 2) == 0) schema["prefixItems"] = Json::array({Make(depth), Make(depth)});
    if (Int(0, 4) > 0) schema["items"] = Make(depth);
    const int min = Int(0, 1) * Int(0, 3);
    if (schema.contains("items") && min > 0) schema["minItems"] = min;
    schema["maxItems"] = min + Int(0, 4);
    return schema;
  }

  Json Object(int depth) {
    Json schema = {{"type", "object"}};
    Json properties = Json::object();
    Json required = Json::array();
    constexpr const char* kNames[] = {"name", "na", "id", "a \"b\"", "\xC3\xA9t\xC3\xA9"};
    for (const char* name : kNames) {
      if (Int(0, 1) == 0) continue;
      properties[name] = Make(depth);
      if (Int(0, 1) == 0) required.push_back(name);
    }
    if (Int(0, 4) > 0) schema["properties"] = properties;
    if (schema.contains("properties")) schema["required"] = required;
    if (Int(0, 2) == 0) schema["additionalProperties"] = Make(0);
    if (Int(0, 5) == 0) schema["additionalProperties"] = false;
    return schema;
  }

  std::mt19937& random_;
};

// Lower is better at coming to an end.
int ClosingRank(std::string_view bytes) {
  constexpr std::string_view kClosing = "\"}]";
  if (bytes.size() == 1 && kClosing.find(bytes[0]) != std::string_view::npos) return 0;
  if (kClosing.find(bytes.front()) != std::string_view::npos) return 1;
  return 2;
}

}  // namespace

std::string RandomSchema(std::mt19937& random, int depth) {
  return SchemaMaker(random).Make(depth).dump();
}

std::vector<std::string> TestVocabulary(int size) {
  std::vector<std::string> words;
  std::set<std::string> known;
  const auto add = [&](std::string word) {
    if (static_cast<int>(words.size()) < size && known.insert(word).second) {
      words.push_back(std::move(word));
    }
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
  for (const char* word : {"{\"",
                           "\":",
                           "\": ",
                           "\",",
                           "\"}",
                           "\", \"",
                           "},",
                           "}]",
                           "]}",
                           "\"]",
                           "[]",
                           "{}",
                           "[{\"",
                           "true",
                           "false",
                           "null",
                           "\\n",
                           "\\\"",
                           "\n  ",
                           "\n    ",
                           "  ",
                           "00",
                           "12",
                           "123",
                           "2024",
                           "-1",
                           "0.",
                           "\xC3\xA9",
                           "\xF0\x9F\x99\x82",
                           "\"name\"",
                           "name\":\"",
                           "e\": \"",
                           "\"a",
                           "ab",
                           "abab",
                           "cd",
                           "\",\"id\":",
                           "\\\\",
                           "\"\"",
                           "x1",
                           "end",
                           " end"}) {
    add(word);
  }
  std::mt19937 random(7);
  constexpr std::string_view kLetters = "etaoinshrdlucmfwypvbgk";
  constexpr std::string_view kOthers = "\"\":,.{}[]()0123456789 \n-_/\\'=";
  while (static_cast<int>(words.size()) < size) {
    std::string word = random() % 2 == 0 ? " " : "";
    const size_t length = 1 + random() % 9;
    while (word.size() < length) word += kLetters[random() % kLetters.size() % (1 + random() % 22)];
    for (size_t i = random() % 8; i >= 6; --i) word += kOthers[random() % kOthers.size()];
    if (random() % 30 == 0) word += "\xC3\xA9";
    if (random() % 20 == 0) {
      word.clear();
      while (word.size() < 1 + length / 3) word += kOthers[random() % kOthers.size()];
    }
    add(word);
  }
  return words;
}

std::shared_ptr<const VocabularyTrie> TrieOf(const std::vector<std::string>& vocabulary) {
  const std::vector<std::string_view> views(vocabulary.begin(), vocabulary.end());
  return std::make_shared<const VocabularyTrie>(views);
}

std::optional<std::string> SampleText(const std::shared_ptr<const TokenGrammar>& grammar,
                                      int free_tokens, std::mt19937& random) {
  constexpr int kTokensMax = 2000;
  TokenMatcher matcher(grammar, {});
  MatchState state = matcher.Start();
  std::string text;
  for (int i = 0; i < kTokensMax; ++i) {
    if (Matcher::IsOver(state)) return text;
    const TokenMask& mask = matcher.Mask(state);
    std::vector<int32_t> allowed;
    int best = 9;
    for (int32_t token = 0; token < grammar->trie().vocabulary_size(); ++token) {
      if (!mask.Allows(token)) continue;
      const int rank = i < free_tokens ? 0 : ClosingRank(grammar->trie().bytes(token));
      if (rank < best) allowed.clear();
      best = std::min(best, rank);
      if (rank == best) allowed.push_back(token);
    }
    const bool may_end = Matcher::Accepts(state);
    if (may_end && (i >= free_tokens || random() % 4 == 0)) return text;
    AIO_CHECK(!allowed.empty(), "a state without a way on");
    const int32_t token = allowed[random() % allowed.size()];
    text += grammar->trie().bytes(token);
    AIO_CHECK(matcher.Advance(state, token), "an allowed token is not accepted");
  }
  return std::nullopt;
}

}  // namespace aio
