#include "tasks/eval_figures.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "router/signals.h"
#include "tasks/pass_at_k.h"

namespace aio {

namespace {

constexpr double kConfidence = 0.95;

// How often a prompt was answered, and how often rightly.
struct PromptTally {
  int samples = 0;
  int right = 0;
};

struct Group {
  EvalFigure figure;
  std::vector<const RunRecord*> records;
  std::vector<PromptTally> prompts;
  std::map<std::pair<std::string, double>, size_t> prompt_of;  // by item and depth
};

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

void Count(const RunRecord& record, Group& group) {
  EvalFigure& figure = group.figure;
  ++figure.answers;
  figure.right += record.right ? 1 : 0;
  figure.refused += record.finish.empty() ? 1 : 0;
  figure.cut_off += record.finish == "length" && record.graded_by != "likelihood" ? 1 : 0;
  const auto [it, is_new] =
      group.prompt_of.try_emplace({record.item, record.depth}, group.prompts.size());
  if (is_new) group.prompts.emplace_back();
  PromptTally& prompt = group.prompts[it->second];
  ++prompt.samples;
  prompt.right += record.right ? 1 : 0;
  group.records.push_back(&record);
}

void SetAccuracy(const std::vector<int>& ks, Group& group) {
  EvalFigure& figure = group.figure;
  const std::vector<PromptTally>& prompts = group.prompts;
  figure.items = static_cast<int64_t>(prompts.size());
  const auto rate = [&](size_t i) { return Ratio(prompts[i].right, prompts[i].samples); };
  double sum = 0;
  int samples_min = prompts.front().samples;
  for (size_t i = 0; i < prompts.size(); ++i) {
    sum += rate(i);
    samples_min = std::min(samples_min, prompts[i].samples);
  }
  figure.accuracy = sum / static_cast<double>(prompts.size());
  if (figure.answers == figure.items) {
    figure.interval = ClopperPearson(figure.right, figure.answers, kConfidence);
  } else {
    figure.interval = Bootstrap(static_cast<int>(prompts.size()), kConfidence,
                                [&](const std::vector<int>& sample) {
                                  double drawn = 0;
                                  for (const int i : sample) drawn += rate(static_cast<size_t>(i));
                                  return drawn / static_cast<double>(sample.size());
                                });
  }
  for (const int k : ks) {
    if (k <= 1 || k > samples_min) continue;
    double passed = 0;
    for (const PromptTally& prompt : prompts) {
      passed += PassAtK(prompt.samples, prompt.right, k);
    }
    figure.pass_at.emplace_back(k, passed / static_cast<double>(prompts.size()));
  }
}

void SetSpeed(Group& group) {
  EvalFigure& figure = group.figure;
  double decode_seconds = 0;
  int64_t decoded = 0;
  int64_t drafted = 0;
  int64_t accepted = 0;
  double bytes = 0;
  int64_t answered = 0;
  for (const RunRecord* record : group.records) {
    if (record->finish.empty()) continue;
    ++answered;
    figure.completion_tokens += record->completion_tokens;
    figure.total_seconds += record->total_ms / 1000;
    figure.mean_tokens_per_second += Ratio(record->completion_tokens, record->total_ms / 1000);
    figure.ttft_ms += record->ttft_ms;
    figure.prompt_tokens += record->prompt_tokens;
    figure.on_small += record->role == kSmallRole ? 1 : 0;
    decoded += std::max(0, record->completion_tokens - 1);
    decode_seconds += record->predicted_ms / 1000;
    drafted += record->draft_tokens;
    accepted += record->draft_accepted_tokens;
    bytes += static_cast<double>(record->weight_bytes + record->kv_bytes);
  }
  const auto n = static_cast<double>(answered);
  const auto tokens = static_cast<double>(figure.completion_tokens);
  figure.tokens_per_second = Ratio(tokens, figure.total_seconds);
  figure.mean_tokens_per_second = Ratio(figure.mean_tokens_per_second, n);
  figure.decoding_tokens_per_second = Ratio(static_cast<double>(decoded), decode_seconds);
  figure.ttft_ms = Ratio(figure.ttft_ms, n);
  figure.prompt_tokens = Ratio(figure.prompt_tokens, n);
  figure.on_small = Ratio(figure.on_small, n);
  figure.bytes_per_token = Ratio(bytes, tokens);
  figure.acceptance = Ratio(static_cast<double>(accepted), static_cast<double>(drafted));
}

}  // namespace

std::vector<EvalFigure> SummariseRecords(const std::vector<RunRecord>& records,
                                         const std::vector<int>& ks) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, int, std::string>, size_t> group_of;
  for (const RunRecord& record : records) {
    const auto [it, is_new] =
        group_of.try_emplace({record.task, record.context, record.configuration}, groups.size());
    if (is_new) {
      Group& group = groups.emplace_back();
      group.figure.task = record.task;
      group.figure.context = record.context;
      group.figure.configuration = record.configuration;
    }
    Count(record, groups[it->second]);
  }
  std::vector<EvalFigure> figures;
  figures.reserve(groups.size());
  for (Group& group : groups) {
    SetAccuracy(ks, group);
    SetSpeed(group);
    figures.push_back(std::move(group.figure));
  }
  return figures;
}

}  // namespace aio
