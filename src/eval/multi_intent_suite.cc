#include "eval/multi_intent_suite.h"

#include <array>
#include <string_view>
#include <utility>

#include "eval/made_prompts.h"

namespace aio {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPairs = {{
    {"code", "math"},
    {"math", "code"},
    {"code", "qa"},
    {"qa", "code"},
    {"math", "qa"},
    {"qa", "math"},
}};

constexpr std::array<std::string_view, 12> kJoints = {
    "{1}\n\nAlso: {2}",
    "{1}\n\n{2}",
    "I have two questions. First: {1}\n\nSecond: {2}",
    "1. {1}\n2. {2}",
    "{1} After that, {2}",
    "{1}\n\nWhen you are done with that, here is another thing. {2}",
    "Please do both of these.\n- {1}\n- {2}",
    "{1}\nAnd then: {2}",
    "Task A:\n{1}\n\nTask B:\n{2}",
    "{1}\n---\n{2}",
    "{1}\n\nOne more thing, please: {2}",
    "First do this:\n{1}\nThen answer this:\n{2}",
};

std::string Part(const std::string& label, const std::vector<std::string>* given, bool made,
                 SuiteDraw& draw) {
  if (!made && given != nullptr && !given->empty()) return draw.Any(*given);
  if (label == "code") return MadeCodePrompt(draw);
  return label == "math" ? MadeMathPrompt(draw) : MadeQuestion(draw);
}

}  // namespace

std::vector<SuitePrompt> MakeMultiIntentSuite(
    const std::map<std::string, std::vector<std::string>>& bases,
    const MultiIntentOptions& options) {
  SuiteDraw draw(options.seed, options.wordings);
  const auto part = [&](std::string_view name, bool made) {
    const std::string label(name);
    const auto given = bases.find(label);
    return Part(label, given == bases.end() ? nullptr : &given->second, made, draw);
  };
  std::vector<SuitePrompt> suite;
  for (int i = 0; i < options.prompts; ++i) {
    const auto& [first, second] = kPairs[static_cast<size_t>(i) % kPairs.size()];
    const bool made = draw.Below(3) == 0;
    std::string one = part(first, made);
    std::string two = part(second, made);
    suite.push_back(
        {.kind = std::string(first) + "+" + std::string(second),
         .text = FillIn(draw.Pick(kJoints), {{"{1}", std::move(one)}, {"{2}", std::move(two)}})});
  }
  return suite;
}

}  // namespace aio
