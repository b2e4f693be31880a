// What routing itself costs: Decide() alone, and the whole step of a routed request but for the
// models' work, from Generate() until the chosen backend has it.
//
//   build/release/src/router/router_benchmark
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "backend/testing/fake_backend.h"
#include "router/router.h"

namespace aio {
namespace {

using Steady = std::chrono::steady_clock;

constexpr char kArms[] = R"(
[[arm]]
role = "small"
strategy = "plain"
accuracy = { code = 70, qa = 40, math = 40 }
tokens_per_second = 100
[[arm]]
role = "large"
strategy = "plain"
accuracy = { code = 60, qa = 80, math = 80 }
tokens_per_second = 10
[[arm]]
role = "large"
strategy = "prompt_lookup"
accuracy = { code = 60, qa = 80, math = 80 }
tokens_per_second = 12
)";

RoutingPolicy Utility() {
  return RoutingPolicy::FromToml(
             std::string("version = 1\nname = \"utility\"\nkind = \"utility\"\n"
                         "probe_prompt_tokens_max = 2048\n[utility]\nlambda = 0.1\n"
                         "[calibration]\nlabels = [\"code\", \"qa\", \"math\"]\n"
                         "bias = [0.1, 0.2, 0.3]\ntemperature = 1.3\n") +
                 kArms,
             "utility.toml")
      .value();
}

Signals Probed(std::vector<float> logits) {
  Signals signals;
  signals.label_logits = std::move(logits);
  signals.intent =
      IntentDistribution::FromLogits({"code", "qa", "math"}, signals.label_logits).value();
  signals.prompt_tokens = 57;
  return signals;
}

double Quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

// Each call timed by itself: the figure is a median, not a mean.
void Time(benchmark::State& state, const std::function<void()>& call) {
  std::vector<double> us;
  for (auto _ : state) {
    const auto begin = Steady::now();
    call();
    us.push_back(std::chrono::duration<double, std::micro>(Steady::now() - begin).count());
  }
  state.counters["median_us"] = Quantile(us, 0.5);
  state.counters["p99_us"] = Quantile(us, 0.99);
}

void Decide(benchmark::State& state, const RoutingPolicy& policy) {
  const std::vector<Signals> all = {Probed({5, 0, 0}), Probed({1, 0.8f, 0}), Probed({0, 5, 0}),
                                    Probed({0, 0, 3})};
  size_t i = 0;
  Time(state, [&] { benchmark::DoNotOptimize(policy.Decide(all[i++ % all.size()])); });
}

class NullSink final : public EventSink {
 public:
  void OnStart(const StartEvent&) override {}
  void OnToken(const TokenEvent&) override {}
  void OnFinish(const FinishEvent&) override {}
  void OnError(const Status&) override {}
};

// Both models at once give what they are asked for, so what is left is the router's own work. A
// conversation of `state.range(0)` words.
void WholeStep(benchmark::State& state) {
  FakeModel small = FakeModel::Named("small", "small");
  small.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{5, 0, 0}; };
  small.count_tokens = [](const Prompt&) { return 57; };
  FakeModel large = FakeModel::Named("large", "large");
  large.count_tokens = small.count_tokens;
  FakeBackend backend({small, large});
  SystemClock clock;
  RouterOptions options;
  options.small = {.backend = &backend, .model = "small"};
  options.large = {.backend = &backend, .model = "large"};
  options.labels = {
      .prefix = "", .suffix = "?", .labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}}};
  options.policy = RoutingPolicy::Paper();
  const std::unique_ptr<Router> router = Router::Create(std::move(options), clock).value();

  std::string text;
  for (int64_t i = 0; i < state.range(0); ++i) text += "word ";
  const std::vector<ChatMessage> conversation = {
      {"user", text}, {"assistant", "yes"}, {"user", "go on"}};
  const auto sink = std::make_shared<NullSink>();
  int id = 0;
  Time(state, [&] {
    Request request;
    request.id = "request-" + std::to_string(id++);
    request.model = "auto";
    request.prompt = conversation;
    benchmark::DoNotOptimize(router->Generate(std::move(request), sink));
  });
}

BENCHMARK_CAPTURE(Decide, paper, RoutingPolicy::Paper());
BENCHMARK_CAPTURE(Decide, utility, Utility());
BENCHMARK(WholeStep)->Arg(50)->Arg(1500);

}  // namespace
}  // namespace aio
