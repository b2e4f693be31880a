// The time that constraints cost: to compile a schema, and to find which tokens may come next, by
// a vocabulary of 32,768 tokens and one of 151,936.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "grammar/testing/accepts.h"
#include "grammar/testing/random_schema.h"
#include "grammar/token_matcher.h"

namespace aio {
namespace {

constexpr const char* kPerson =
    R"({"type":"object","properties":{
      "name":{"type":"string"},"email":{"type":"string","maxLength":60},
      "age":{"type":"integer","minimum":0,"maximum":150},
      "tags":{"type":"array","items":{"enum":["red","green","blue"]},"maxItems":5},
      "address":{"type":"object","properties":{"street":{"type":"string"},
        "city":{"type":"string","minLength":1},"zip":{"type":"string","pattern":"^[0-9]{5}$"}},
        "required":["street","city"]},
      "notes":{"type":"array","items":{"type":"string"}}},
      "required":["name","age","address","notes"]})";

constexpr const char* kAnswer =
    R"({"name": "Ada Lovelace", "email": "ada@example.org", "age": 36, "tags": ["red", "blue"],)"
    R"( "address": {"street": "12 St James's Square", "city": "London", "zip": "12345"},)"
    R"( "notes": ["wrote the first program", "na\u00efve? no: \"far-sighted\"", ""]})";

const std::shared_ptr<const VocabularyTrie>& Trie(int size) {
  static const auto small = TrieOf(TestVocabulary(32'768));
  static const auto large = TrieOf(TestVocabulary(151'936));
  return size == 32'768 ? small : large;
}

void CompileSchema(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MustCompile(GrammarSource::kJsonSchema, kPerson));
}
BENCHMARK(CompileSchema)->Unit(benchmark::kMicrosecond);

void BuildTrie(benchmark::State& state) {
  const std::vector<std::string> vocabulary = TestVocabulary(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(TrieOf(vocabulary));
}
BENCHMARK(BuildTrie)->Arg(32'768)->Arg(151'936)->Unit(benchmark::kMillisecond);

// All that masks are made of, which a thread of the engine does beforehand.
void PrepareSchema(benchmark::State& state) {
  const auto compiled = MustCompile(GrammarSource::kJsonSchema, kPerson);
  for (auto _ : state) {
    const TokenGrammar grammar(compiled, Trie(static_cast<int>(state.range(0))));
    for (int node = 0; node < compiled->num_nodes(); ++node) grammar.Prepare(node);
    state.counters["nodes"] = grammar.num_known();
  }
}
BENCHMARK(PrepareSchema)->Arg(32'768)->Arg(151'936)->Unit(benchmark::kMillisecond);

double At(std::vector<double>& sorted, double quantile) {
  return sorted[static_cast<size_t>(quantile * static_cast<double>(sorted.size() - 1))];
}

// Masks along an answer, cut into tokens greedily. `fresh`: nothing is known of the grammar; else
// other answers were constrained by it before, but this one's matcher is new; `repeated`: it has
// just had the same states.
enum class Known { kNothing, kNodes, kStates };
void Masks(benchmark::State& state, GrammarSource source, const char* text, const char* answer,
           Known known) {
  const auto& trie = Trie(static_cast<int>(state.range(0)));
  const auto compiled = MustCompile(source, text);
  auto grammar = std::make_shared<const TokenGrammar>(compiled, trie);
  std::vector<double> us;
  for (auto _ : state) {
    if (known == Known::kNothing) grammar = std::make_shared<const TokenGrammar>(compiled, trie);
    TokenMatcher matcher(grammar, {});
    MatchState at = matcher.Start();
    for (std::string_view rest = answer; !rest.empty();) {
      if (known == Known::kStates) matcher.Mask(at);
      const auto begin = std::chrono::steady_clock::now();
      const TokenMask& mask = matcher.Mask(at);
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      us.push_back(took.count());
      int32_t longest = -1;
      for (int32_t token = 0; token < trie->vocabulary_size(); ++token) {
        const std::string_view bytes = trie->bytes(token);
        const bool is_longer = longest < 0 || bytes.size() > trie->bytes(longest).size();
        if (rest.starts_with(bytes) && is_longer && mask.Allows(token)) longest = token;
      }
      if (longest < 0 || !matcher.Advance(at, longest)) {
        state.SkipWithError("the answer is not allowed");
        return;
      }
      rest.remove_prefix(trie->bytes(longest).size());
    }
  }
  std::sort(us.begin(), us.end());
  state.counters["us_p50"] = At(us, 0.5);
  state.counters["us_p90"] = At(us, 0.9);
  state.counters["us_p99"] = At(us, 0.99);
  state.counters["us_max"] = us.back();
}
constexpr const char* kEssay = "^.{200,600}$";
constexpr const char* kEssayText =
    "The harbour of Elsby lies where the river meets the sea. Ships come in with the tide and "
    "leave with it, and the town lives by the hours that lie between: nets are mended, ropes are "
    "spliced, and what the sea has given is weighed, written down and sold before noon.";
#define AIO_MASKS(name, ...)                                                                       \
  BENCHMARK_CAPTURE(Masks, name##_first, __VA_ARGS__, Known::kNothing)->Arg(32'768)->Arg(151'936); \
  BENCHMARK_CAPTURE(Masks, name, __VA_ARGS__, Known::kNodes)->Arg(32'768)->Arg(151'936);           \
  BENCHMARK_CAPTURE(Masks, name##_repeated, __VA_ARGS__, Known::kStates)->Arg(32'768)->Arg(151'936)
AIO_MASKS(schema, GrammarSource::kJsonSchema, kPerson, kAnswer);
AIO_MASKS(object, GrammarSource::kJsonObject, "", kAnswer);
AIO_MASKS(regex, GrammarSource::kRegex, kEssay, kEssayText);

}  // namespace
}  // namespace aio
