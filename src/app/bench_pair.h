// The workload of `aio bench pair`: a small and a large model resident at once, requests
// through the whole engine.
#ifndef AIO_APP_BENCH_PAIR_H_
#define AIO_APP_BENCH_PAIR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "engine/embedded_backend.h"

namespace aio {

// One model answering one request.
struct PairFigure {
  std::string model;
  bool is_alone = true;       // the other one is idle
  double first_token_ms = 0;  // after a prompt of kPromptTokens; 0: not measured
  double tokens_per_second = 0;
  double gb_per_second = 0;       // weights and KV that this takes
  double read_gb_per_second = 0;  // the machine's, measured before and after
  double share() const { return gb_per_second / read_gb_per_second; }
};

class PairBenchmark {
 public:
  static constexpr int kPromptTokens = 200;
  static constexpr int kKvCacheTokens = 1024;  // of each model

  // `models`: the small and the large one.
  static Result<std::unique_ptr<PairBenchmark>> Create(std::vector<EmbeddedModel> models,
                                                       int threads, const Clock& clock);

  // The median request of `repetitions` to `model` (0: small, 1: large), the other one idle.
  Result<PairFigure> RunAlone(int model, int repetitions);
  // Both at once for some seconds; one figure a model.
  Result<std::vector<PairFigure>> RunTogether();

  // Bytes of the weights that a token reads, large over small: what routing could be worth.
  double ByteRatio() const;
  int64_t WeightAndKvBytes() const;

 private:
  PairBenchmark(std::vector<EmbeddedModel> models, int threads, const Clock& clock);
  Request MakeRequest(int model, int tokens) const;
  double ReadBandwidth();
  double BytesAToken(int model, double positions) const;

  const std::vector<EmbeddedModel> models_;
  const Clock& clock_;
  ThreadPool readers_;
  std::unique_ptr<EmbeddedBackend> engine_;
  int requests_ = 0;  // made so far: no two prompts are alike
};

}  // namespace aio

#endif  // AIO_APP_BENCH_PAIR_H_
