// What a traced request costs by itself: on its way (thread of the server and of the model), and
// the exporter's thread afterwards.
//
//   build/release/src/telemetry/trace_benchmark
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/testing/fake_backend.h"
#include "telemetry/otlp_json.h"
#include "telemetry/request_spans.h"
#include "telemetry/traced_backend.h"
#include "telemetry/tracer.h"

namespace aio {
namespace {

class KeepLast final : public TraceSink {
 public:
  void Add(std::unique_ptr<const RequestRecord> record) override { last = std::move(record); }
  std::unique_ptr<const RequestRecord> last;
};

class NullSink final : public EventSink {
 public:
  void OnStart(const StartEvent&) override {}
  void OnToken(const TokenEvent&) override {}
  void OnFinish(const FinishEvent&) override {}
  void OnError(const Status&) override {}
};

struct Setup {
  explicit Setup(double ratio)
      : tracer(
            ratio, clock, [] { return int64_t{1} << 60; }, sink) {}

  // As the server, the queue, the router and a model would have it: a probe and a generation.
  void Serve() {
    const TracedRequest traced = tracer.Start(std::nullopt, clock.Now());
    Request request;
    request.id = "0123456789abcdef0123456789abcdef";
    request.model = "small";
    request.prompt = std::string("two words");
    if (traced.trace != nullptr) {
      traced.trace->Asked(clock.Now());
      tracer.Follow(request.id, traced.trace);
    }
    benchmark::DoNotOptimize(front.ScoreLabels(request, labels, [](const auto&) {}));
    benchmark::DoNotOptimize(front.Generate(std::move(request), std::make_shared<NullSink>()));
    if (traced.trace != nullptr) tracer.End(*traced.trace, RequestFacts{.id = "r"});
  }

  SystemClock clock;
  KeepLast sink;
  Tracer tracer;
  FakeBackend models{{FakeModel::Named("small", "small")}};
  TracedBackend front{models, tracer, TracedPlace::kModels};
  LabelQuery labels{.prefix = "", .suffix = "?", .labels = {{"a", "a"}, {"b", "b"}}};
};

void OnTheWay(benchmark::State& state, double ratio) {
  Setup setup(ratio);
  for (auto _ : state) setup.Serve();
}

void Encode(benchmark::State& state) {
  Setup setup(1);
  setup.Serve();
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string text = EncodeTraces({}, SpansOf(*setup.sink.last));
    bytes = text.size();
    benchmark::DoNotOptimize(text);
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

BENCHMARK_CAPTURE(OnTheWay, unsampled, 0.0);
BENCHMARK_CAPTURE(OnTheWay, sampled, 1.0);
BENCHMARK(Encode);

}  // namespace
}  // namespace aio
