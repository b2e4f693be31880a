// Tokens per second of the whole engine around a random tiny model, whose forward pass
// costs little: what is left is the engine's own work. Not a measure of any real model.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/embedded_backend.h"
#include "engine/sampler.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

constexpr int kAnswerTokens = 128;

Request MakeRequest(float temperature, bool speculates) {
  Request request;
  request.model = "tiny";
  request.prompt = std::string(64, 'a');
  request.sampling.temperature = temperature;
  request.sampling.max_tokens = kAnswerTokens;
  request.sampling.ignore_eos = true;
  if (speculates) request.strategy = Strategy{StrategyKind::kPromptLookup};
  return request;
}

// range(0): requests at once.
void Generate(benchmark::State& state, float temperature, bool speculates) {
  const SystemClock clock;
  EngineOptions options;
  options.num_threads = 1;
  const auto backend =
      EmbeddedBackend::Create({MakeTinyModel("tiny", "small")}, options, clock).value();
  const Request request = MakeRequest(temperature, speculates);
  for (auto _ : state) {
    std::vector<std::shared_ptr<CollectingSink>> sinks;
    for (int64_t i = 0; i < state.range(0); ++i) {
      sinks.push_back(std::make_shared<CollectingSink>());
      if (!backend->Generate(request, sinks.back()).ok()) state.SkipWithError("refused");
    }
    for (const auto& sink : sinks) sink->Wait();
  }
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0) * kAnswerTokens),
                         benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(Generate, greedy, 0.0f, false)->Arg(1)->Arg(16)->UseRealTime();
BENCHMARK_CAPTURE(Generate, sampled, 1.0f, false)->Arg(1)->Arg(16)->UseRealTime();
BENCHMARK_CAPTURE(Generate, prompt_lookup, 0.0f, true)->Arg(1)->Arg(16)->UseRealTime();

// One token over a vocabulary of the usual size.
void Sample(benchmark::State& state, const SamplingParams& params) {
  std::vector<float> logits(151936);
  uint32_t random = 1;
  for (float& logit : logits) {
    random = random * 1664525 + 1013904223;
    logit = static_cast<float>(random >> 8) / 0x1p24f * 20.0f - 10.0f;
  }
  const SamplingState sampling(params, {});
  Sampler sampler;
  int position = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(sampler.Sample(logits, sampling, position++));
  }
}

SamplingParams With(float temperature, int top_k, float top_p, int top_logprobs) {
  SamplingParams params;
  params.temperature = temperature;
  params.top_k = top_k;
  params.top_p = top_p;
  params.top_logprobs = top_logprobs;
  return params;
}
BENCHMARK_CAPTURE(Sample, greedy, With(0, 0, 1, -1));
BENCHMARK_CAPTURE(Sample, greedy_logprobs, With(0, 0, 1, 5));
BENCHMARK_CAPTURE(Sample, temperature, With(1, 0, 1, -1));
BENCHMARK_CAPTURE(Sample, top_k, With(1, 40, 1, -1));
BENCHMARK_CAPTURE(Sample, top_p, With(1, 0, 0.95f, -1));
BENCHMARK_CAPTURE(Sample, top_k_top_p, With(1, 40, 0.95f, -1));

}  // namespace
}  // namespace aio
