#include "app/strategy_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <future>
#include <memory>
#include <string_view>
#include <utility>

namespace aio {

namespace {

class OutcomeSink final : public EventSink {
 public:
  explicit OutcomeSink(TimePoint sent) { outcome_.sent = sent; }

  std::future<Outcome> future() { return promise_.get_future(); }

  void OnStart(const StartEvent&) override {}
  void OnToken(const TokenEvent& event) override {
    outcome_.text += event.text;
    outcome_.tokens.insert(outcome_.tokens.end(), event.tokens.begin(), event.tokens.end());
    outcome_.logprobs.insert(outcome_.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
  }
  void OnFinish(const FinishEvent& event) override {
    outcome_.finish = event;
    promise_.set_value(std::move(outcome_));
  }
  void OnError(const Status& status) override {
    outcome_.error = status;
    promise_.set_value(std::move(outcome_));
  }

 private:
  Outcome outcome_;
  std::promise<Outcome> promise_;
};

Duration FromMs(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
}

// Bits, so that -0 is not 0 and a NaN is itself.
bool SameBits(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }

// With all that tells two floats apart.
std::string Describe(float value) {
  return fmt::format("{:.9g} (0x{:08x})", value, std::bit_cast<uint32_t>(value));
}

std::string Describe(const Status& status) { return status.ok() ? "ok" : status.ToString(); }

Difference Differ(std::string where, std::string expected, std::string actual) {
  return {std::move(where), std::move(expected), std::move(actual)};
}

template <typename T>
Difference Differ(std::string where, const T& expected, const T& actual) {
  return {std::move(where), fmt::format("{}", expected), fmt::format("{}", actual)};
}

std::optional<Difference> DifferentTokens(const std::vector<int32_t>& expected,
                                          const std::vector<int32_t>& actual) {
  const auto [e, a] = std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  if (e == expected.end() && a == actual.end()) return std::nullopt;
  const auto token = [](auto at, auto end) {
    return at == end ? std::string("none") : std::to_string(*at);
  };
  return Differ(fmt::format("token {}", e - expected.begin()), token(e, expected.end()),
                token(a, actual.end()));
}

std::optional<Difference> DifferentText(std::string_view expected, std::string_view actual) {
  const auto [e, a] = std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  if (e == expected.end() && a == actual.end()) return std::nullopt;
  const auto at = static_cast<size_t>(e - expected.begin());
  constexpr size_t kShown = 24;
  return Differ(fmt::format("text at byte {}", at),
                fmt::format("{:?}", expected.substr(at, kShown)),
                fmt::format("{:?}", actual.substr(at, kShown)));
}

std::optional<Difference> DifferentLogprob(const std::string& where, const TokenLogprob& expected,
                                           const TokenLogprob& actual) {
  if (expected.token != actual.token) return Differ(where, expected.token, actual.token);
  if (!SameBits(expected.logprob, actual.logprob)) {
    return Differ(where, Describe(expected.logprob), Describe(actual.logprob));
  }
  if (expected.bytes != actual.bytes) {
    return Differ(where, fmt::format("{:?}", expected.bytes), fmt::format("{:?}", actual.bytes));
  }
  return std::nullopt;
}

std::optional<Difference> DifferentLogprobs(const std::vector<TokenLogprob>& expected,
                                            const std::vector<TokenLogprob>& actual) {
  if (expected.size() != actual.size()) {
    return Differ("number of log-probabilities", expected.size(), actual.size());
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::string where = fmt::format("log-probability of token {}", i);
    if (auto difference = DifferentLogprob(where, expected[i], actual[i])) return difference;
    const auto& top = expected[i].top;
    if (top.size() != actual[i].top.size()) {
      return Differ(where + ", number of alternatives", top.size(), actual[i].top.size());
    }
    for (size_t k = 0; k < top.size(); ++k) {
      auto difference =
          DifferentLogprob(fmt::format("{}, alternative {}", where, k), top[k], actual[i].top[k]);
      if (difference) return difference;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<NamedStrategy> AllStrategies() {
  std::vector<NamedStrategy> strategies;
  std::string_view names = StrategyNames();
  while (!names.empty()) {
    const size_t end = std::min(names.find(", "), names.size());
    const std::string_view name = names.substr(0, end);
    const std::optional<Strategy> strategy = StrategyFromName(name);
    AIO_CHECK(strategy.has_value(), "StrategyNames() lists a name that is none");
    strategies.push_back({std::string(name), *strategy});
    names.remove_prefix(std::min(end + 2, names.size()));
  }
  return strategies;
}

int Outcome::decoded_tokens() const { return std::max(0, finish.usage.completion_tokens - 1); }

TimePoint Outcome::first_token() const {
  return sent + FromMs(finish.timings.queue_ms + finish.timings.prompt_ms);
}

TimePoint Outcome::last_token() const {
  return first_token() + FromMs(finish.timings.predicted_ms);
}

bool IsWithoutDraftModel(const Strategy& strategy, const Outcome& outcome) {
  return strategy.kind == StrategyKind::kDraftModel &&
         outcome.error.code() == StatusCode::kInvalidArgument;
}

std::vector<Outcome> RunRequests(Backend& backend, const std::vector<Request>& requests,
                                 const Clock& clock) {
  std::vector<std::future<Outcome>> futures;
  futures.reserve(requests.size());
  for (const Request& request : requests) {
    const auto sink = std::make_shared<OutcomeSink>(clock.Now());
    futures.push_back(sink->future());
    const auto ticket = backend.Generate(request, sink);
    if (!ticket.ok()) sink->OnError(ticket.status());
  }
  std::vector<Outcome> outcomes;
  outcomes.reserve(futures.size());
  for (std::future<Outcome>& future : futures) outcomes.push_back(future.get());
  return outcomes;
}

Outcome RunRequest(Backend& backend, const Request& request, const Clock& clock) {
  return std::move(RunRequests(backend, {request}, clock).front());
}

std::optional<Difference> FirstDifference(const Outcome& expected, const Outcome& actual) {
  if (Describe(expected.error) != Describe(actual.error)) {
    return Differ("outcome", Describe(expected.error), Describe(actual.error));
  }
  if (auto difference = DifferentTokens(expected.tokens, actual.tokens)) return difference;
  if (auto difference = DifferentText(expected.text, actual.text)) return difference;
  if (auto difference = DifferentLogprobs(expected.logprobs, actual.logprobs)) return difference;
  const FinishEvent& e = expected.finish;
  const FinishEvent& a = actual.finish;
  if (e.reason != a.reason) {
    return Differ("finish reason", FinishReasonName(e.reason), FinishReasonName(a.reason));
  }
  if (e.usage.prompt_tokens != a.usage.prompt_tokens) {
    return Differ("prompt tokens", e.usage.prompt_tokens, a.usage.prompt_tokens);
  }
  if (e.usage.completion_tokens != a.usage.completion_tokens) {
    return Differ("completion tokens", e.usage.completion_tokens, a.usage.completion_tokens);
  }
  return std::nullopt;
}

std::optional<Difference> FirstDifference(const Result<LabelScores>& expected,
                                          const Result<LabelScores>& actual) {
  if (Describe(expected.status()) != Describe(actual.status())) {
    return Differ("probe", Describe(expected.status()), Describe(actual.status()));
  }
  if (!expected.ok()) return std::nullopt;
  const std::vector<float>& logits = expected->logits;
  if (logits.size() != actual->logits.size()) {
    return Differ("number of labels", logits.size(), actual->logits.size());
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!SameBits(logits[i], actual->logits[i])) {
      return Differ(fmt::format("score of label {}", i), Describe(logits[i]),
                    Describe(actual->logits[i]));
    }
  }
  return std::nullopt;
}

}  // namespace aio
