#include "engine/testing/collecting_sink.h"

#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace aio {

void CollectingSink::OnStart(const StartEvent& event) {
  {
    std::lock_guard lock(mutex_);
    if (answer_.start || answer_.num_ends > 0) answer_.is_out_of_order = true;
    answer_.start = event;
  }
  if (on_start) on_start();
}

void CollectingSink::OnToken(const TokenEvent& event) {
  {
    std::lock_guard lock(mutex_);
    if (!answer_.start || answer_.num_ends > 0) answer_.is_out_of_order = true;
    answer_.text += event.text;
    answer_.tokens.insert(answer_.tokens.end(), event.tokens.begin(), event.tokens.end());
    answer_.logprobs.insert(answer_.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    answer_.entropies.insert(answer_.entropies.end(), event.entropies.begin(),
                             event.entropies.end());
    ++answer_.num_token_events;
  }
  if (on_token) on_token();
}

void CollectingSink::OnFinish(const FinishEvent& event) {
  {
    std::lock_guard lock(mutex_);
    if (!answer_.start) answer_.is_out_of_order = true;
    answer_.finish = event;
  }
  End();
}

void CollectingSink::OnError(const Status& status) {
  {
    std::lock_guard lock(mutex_);
    answer_.error = status;
  }
  End();
}

void CollectingSink::End() {
  if (on_end) on_end();
  std::lock_guard lock(mutex_);
  ++answer_.num_ends;
  ended_.notify_all();  // under the lock: the waiter may destroy this right after
}

CollectedAnswer CollectingSink::Wait() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return answer_.num_ends > 0; });
  return answer_;
}

CollectedAnswer GenerateAndWait(Backend& backend, Request request) {
  const auto sink = std::make_shared<CollectingSink>();
  const auto generation = backend.Generate(std::move(request), sink);
  if (generation.ok()) return sink->Wait();
  CollectedAnswer refused;
  refused.error = generation.status();
  return refused;
}

Result<LabelScores> ScoreLabelsAndWait(Backend& backend, const Request& request,
                                       const LabelQuery& labels) {
  std::promise<Result<LabelScores>> promise;
  auto future = promise.get_future();
  const auto on_scores = [&](Result<LabelScores> s) { promise.set_value(std::move(s)); };
  AIO_RETURN_IF_ERROR(backend.ScoreLabels(request, labels, on_scores).status());
  return future.get();
}

std::string Transcript(const CollectedAnswer& answer) {
  std::string out =
      fmt::format("error {}\ntext {:?}\ntokens", answer.error.ToString(), answer.text);
  for (int32_t token : answer.tokens) out += fmt::format(" {}", token);
  for (const TokenLogprob& logprob : answer.logprobs) {
    out += fmt::format("\n{} {:a} {:?}", logprob.token, logprob.logprob, logprob.bytes);
    for (const TokenLogprob& top : logprob.top) {
      out += fmt::format(" ({} {:a} {:?})", top.token, top.logprob, top.bytes);
    }
  }
  if (answer.finish) {
    const Usage& usage = answer.finish->usage;
    out +=
        fmt::format("\nfinish {} prompt {} completion {}", FinishReasonName(answer.finish->reason),
                    usage.prompt_tokens, usage.completion_tokens);
  }
  return out;
}

}  // namespace aio
