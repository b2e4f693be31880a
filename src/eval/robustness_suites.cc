#include "eval/robustness_suites.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "eval/made_prompts.h"
#include "eval/multi_intent_suite.h"

namespace aio {
namespace {

using PromptsByIntent = std::map<std::string, std::vector<std::string>>;

// FNV-1a: which half a prompt belongs to depends on its text alone.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

bool IsUsed(std::string_view text, Wordings half) {
  constexpr int kHashBit = 32;  // the lowest ones depend on the last bytes only
  if (half == Wordings::kAll) return true;
  return (Hash(text) >> kHashBit) % 2 == (half == Wordings::kHeldOut ? 1 : 0);
}

// Each intent's prompts in an order of their own.
PromptsByIntent Sort(const std::vector<LabelledQuery>& queries, Wordings half, SuiteDraw& draw) {
  PromptsByIntent prompts;
  for (const LabelledQuery& query : queries) {
    const std::string& text = query.messages.back().content;
    if (!query.intent.empty() && IsUsed(text, half)) prompts[query.intent].push_back(text);
  }
  for (auto& [intent, texts] : prompts) draw.Shuffle(texts);
  return prompts;
}

// Takes turns between the intents, so that none outnumbers another that has prompts left.
std::vector<std::string> Bases(const PromptsByIntent& prompts, const std::string& target,
                               size_t count) {
  std::vector<std::string> bases;
  bool more = true;
  for (size_t i = 0; more && bases.size() < count; ++i) {
    more = false;
    for (const auto& [intent, texts] : prompts) {
      if (intent == target || i >= texts.size() || bases.size() == count) continue;
      bases.push_back(texts[i]);
      more = true;
    }
  }
  return bases;
}

}  // namespace

Result<RobustnessSuites> MakeRobustnessSuites(const std::vector<LabelledQuery>& queries,
                                              const RobustnessSuiteOptions& options) {
  SuiteDraw draw(options.seed, options.half);
  const PromptsByIntent prompts = Sort(queries, options.half, draw);
  const auto programs = prompts.find(options.target);
  const std::vector<std::string> bases =
      Bases(prompts, options.target, static_cast<size_t>(options.bases));
  if (programs == prompts.end() || bases.empty()) {
    return InvalidArgument(fmt::format(
        "needs prompts with the intent '{}' and prompts with another; there are {} and "
        "{}",
        options.target, programs == prompts.end() ? 0 : programs->second.size(), bases.size()));
  }
  RobustnessSuites suites;
  suites.small_intent = options.target;
  suites.attacked = MakeAttackSuite(bases, {.seed = options.seed,
                                            .prompts = options.attacked,
                                            .wordings = options.half,
                                            .target = options.target,
                                            .programs = programs->second});
  suites.multi_intent = MakeMultiIntentSuite(
      prompts, {.seed = options.seed, .prompts = options.multi_intent, .wordings = options.half});
  for (const auto& [intent, texts] : prompts) {
    const size_t count = std::min(texts.size(), static_cast<size_t>(options.clean));
    for (size_t i = 0; i < count; ++i) suites.clean.push_back({texts[i], intent});
  }
  return suites;
}

std::vector<LabelledQuery> MadeQueries(int each, SuiteDraw draw) {
  std::vector<LabelledQuery> queries;
  const auto add = [&](std::string text, std::string intent) {
    LabelledQuery query;
    query.line = static_cast<int>(queries.size()) + 1;
    query.messages.push_back({"user", std::move(text)});
    query.intent = std::move(intent);
    queries.push_back(std::move(query));
  };
  for (int i = 0; i < each; ++i) {
    add(MadeCodePrompt(draw), "code");
    add(MadeQuestion(draw), "qa");
    add(MadeMathPrompt(draw), "math");
  }
  return queries;
}

}  // namespace aio
