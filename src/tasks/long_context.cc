#include "tasks/long_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sha256.h"

namespace aio {

namespace {

// "\n\n[123]\n" beside an item's own tokens, at most.
constexpr int kTokensBetween = 8;
// So many items in a row that do not fit end a filling.
constexpr int kMissesMax = 16;
constexpr int kFillsMax = 4;

}  // namespace

std::string RenderLongContext(const Task& task, const TaskItem& item, const LongContextPlan& plan) {
  const size_t number = plan.position + 1;
  std::string text = fmt::format("Below are {} numbered tasks. Do number {} and no other.\n",
                                 plan.others.size() + 1, number);
  for (size_t i = 0; i <= plan.others.size(); ++i) {
    const TaskItem& shown = i == plan.position  ? item
                            : i < plan.position ? task.items[plan.others[i]]
                                                : task.items[plan.others[i - 1]];
    text += fmt::format("\n[{}]\n{}", i + 1, AskedText(task, shown));
    if (!text.ends_with('\n')) text += '\n';
  }
  text += fmt::format("\nNow do number {} of the tasks above, and nothing else.", number);
  return text;
}

Result<int> LongContextPlanner::TokensOf(uint32_t index) {
  std::optional<int>& tokens = tokens_[index];
  if (!tokens) {
    AIO_ASSIGN_OR_RETURN(tokens, count_(AskedText(task_, task_.items[index])));
  }
  return *tokens;
}

Result<int> LongContextPlanner::PromptTokens(const TaskItem& item,
                                             const LongContextPlan& plan) const {
  AIO_ASSIGN_OR_RETURN(const ItemPrompt made,
                       MakePrompt(task_, item, prompts_, RenderLongContext(task_, item, plan)));
  return count_(made.prompt);
}

Result<uint32_t> LongContextPlanner::DrawNext(Draw& draw) const {
  if (draw.next == draw.order.size()) {
    const std::string key = fmt::format("{}\n{}\n{}\n", draw.seed, draw.round++, draw.item.id);
    std::vector<std::pair<uint64_t, uint32_t>> drawn;
    for (uint32_t i = 0; i < task_.items.size(); ++i) {
      const TaskItem& other = task_.items[i];
      if (other.id == draw.item.id || other.question == draw.item.question) continue;
      drawn.emplace_back(Sha256Uint64(key + other.id), i);
    }
    if (drawn.empty()) {
      return InvalidArgument(fmt::format("{}: a long context needs other items beside '{}'",
                                         task_.name, draw.item.id));
    }
    std::sort(drawn.begin(), drawn.end());
    draw.order.clear();
    for (const auto& [hash, index] : drawn) draw.order.push_back(index);
    draw.next = 0;
  }
  return draw.order[draw.next++];
}

Status LongContextPlanner::Fill(int room, Draw& draw, LongContextPlan& plan) {
  for (int misses = 0; misses < kMissesMax;) {
    AIO_ASSIGN_OR_RETURN(const uint32_t index, DrawNext(draw));
    AIO_ASSIGN_OR_RETURN(const int tokens, TokensOf(index));
    if (tokens + kTokensBetween > room) {
      ++misses;
      continue;
    }
    misses = 0;
    room -= tokens + kTokensBetween;
    plan.others.push_back(index);
  }
  return Status::Ok();
}

Result<size_t> LongContextPlanner::PositionAt(double depth, const LongContextPlan& plan) {
  std::vector<double> before = {0};  // tokens before each position
  before.reserve(plan.others.size() + 1);
  for (const uint32_t index : plan.others) {
    AIO_ASSIGN_OR_RETURN(const int tokens, TokensOf(index));
    before.push_back(before.back() + tokens);
  }
  const double wanted = depth * before.back();
  const auto nearest = std::min_element(before.begin(), before.end(), [&](double a, double b) {
    return std::abs(a - wanted) < std::abs(b - wanted);
  });
  return static_cast<size_t>(nearest - before.begin());
}

Result<LongContextPlan> LongContextPlanner::Plan(const TaskItem& item,
                                                 const LongContextOptions& options) {
  LongContextPlan plan;
  AIO_ASSIGN_OR_RETURN(const int alone, PromptTokens(item, plan));
  if (alone > options.prompt_tokens_max) {
    return InvalidArgument(
        fmt::format("{}: '{}' alone has {} prompt tokens, and the context leaves room for {}; "
                    "choose a longer --context or fewer --max-tokens",
                    task_.name, item.id, alone, options.prompt_tokens_max));
  }
  Draw draw{.item = item, .seed = options.seed};
  int room = options.prompt_tokens_max - alone;
  // What stands between items is estimated from above: what that leaves is filled again.
  for (int fill = 0; fill < kFillsMax; ++fill) {
    const size_t before = plan.others.size();
    AIO_RETURN_IF_ERROR(Fill(room, draw, plan));
    if (plan.others.size() == before) break;
    AIO_ASSIGN_OR_RETURN(const int tokens, PromptTokens(item, plan));
    room = options.prompt_tokens_max - tokens;
  }
  for (;;) {
    AIO_ASSIGN_OR_RETURN(plan.position, PositionAt(options.depth, plan));
    AIO_ASSIGN_OR_RETURN(const int tokens, PromptTokens(item, plan));
    if (tokens <= options.prompt_tokens_max || plan.others.empty()) return plan;
    plan.others.pop_back();
  }
}

}  // namespace aio
