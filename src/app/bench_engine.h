// Workloads of `aio bench engine`, run on the model layer itself: no server, no sampling.
#ifndef AIO_APP_BENCH_ENGINE_H_
#define AIO_APP_BENCH_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/page_memory.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {

// A step that is measured: `sequences` with `context` tokens each in the KV cache compute
// `tokens` more each; all logits of decoding, the last of prefill.
struct EngineWorkload {
  std::string name;
  int sequences = 1;
  int context = 0;
  int tokens = 1;
};
std::vector<EngineWorkload> EngineWorkloads();

struct EngineFigure {
  std::string workload;
  int context = 0;
  int tokens = 0;  // a step, all sequences together
  double tokens_per_second = 0;
  double ms_per_step = 0;
  int64_t weight_bytes = 0;  // read by a step, at least
  int64_t kv_bytes = 0;
  double gb_per_second = 0;
  double read_gb_per_second = 0;  // the machine's, measured before and after
  double share = 0;
};

class EngineBenchmark {
 public:
  EngineBenchmark(std::shared_ptr<const Model> model, KvType kv_type, int threads,
                  const Clock& clock);

  bool Fits(const EngineWorkload& workload) const;  // the model's context
  // The median step of `repetitions`. kResourceExhausted when memory does not suffice,
  // kInvalidArgument when the model's heads do not suit the KV type.
  Result<EngineFigure> Run(const EngineWorkload& workload, int repetitions);

 private:
  double ReadBandwidth();  // GB/s

  const std::shared_ptr<const Model> model_;
  const KvType kv_type_;
  const Clock& clock_;
  ThreadPool pool_;
};

int64_t PeakMemoryBytes();  // of this process; 0 if unknown

}  // namespace aio

#endif  // AIO_APP_BENCH_ENGINE_H_
