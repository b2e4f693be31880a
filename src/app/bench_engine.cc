#include "app/bench_engine.h"

#include <sys/resource.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "app/read_bandwidth.h"
#include "engine/block_pool.h"

namespace aio {

namespace {

// Values as they come from a norm in every position, so that no page is the shared zero page
// and no score stands out.
void Fill(KvCache& cache, const ModelConfig& config) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> key(config.head_size);
  std::vector<float> value(config.head_size);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    for (int head = 0; head < config.num_kv_heads; ++head) {
      for (int slot = 0; slot < KvCache::kBlockTokens; ++slot) {
        for (float& x : key) x = uniform(random);
        for (float& x : value) x = uniform(random);
        StoreKeyValue(cache.Head(layer, head), 0, slot, key, value);
      }
    }
  }
  for (int block = 1; block < cache.num_blocks(); ++block) cache.CopyBlock(0, block);
}

// A workload's step, ready to run again and again.
class WorkloadStep {
 public:
  static Result<std::unique_ptr<WorkloadStep>> Create(const Model& model, KvType kv_type,
                                                      const EngineWorkload& workload) {
    const int blocks = BlockPool::BlocksFor(workload.context + workload.tokens);
    AIO_ASSIGN_OR_RETURN(std::unique_ptr<KvCache> cache,
                         KvCache::Create(model.config(), kv_type, blocks * workload.sequences));
    Fill(*cache, model.config());
    return std::unique_ptr<WorkloadStep>(
        new WorkloadStep(model, workload, blocks, std::move(cache)));
  }

  void Run(ThreadPool& pool) {
    for (int first = 0; first < workload_.tokens; first += chunk_) {
      rows_.clear();
      for (int sequence = 0; sequence < workload_.sequences; ++sequence) {
        AddRows(sequence, first, std::min(workload_.tokens, first + chunk_));
      }
      Forward(model_, rows_, *cache_, scratch_, pool);
    }
  }

  // What a step computes and reads; no times.
  EngineFigure Describe() const {
    EngineFigure figure;
    figure.workload = workload_.name;
    figure.context = workload_.context;
    figure.tokens = workload_.tokens * workload_.sequences;
    figure.weight_bytes = model_.summary().bytes_per_token;
    figure.kv_bytes =
        int64_t{workload_.sequences} * workload_.context *
        (KvCache::BlockBytes(model_.config(), cache_->type()) / KvCache::kBlockTokens);
    return figure;
  }

 private:
  // A long prefill goes in chunks, as in the engine (whose chunks are a setting).
  static constexpr int kChunkMax = 512;

  WorkloadStep(const Model& model, const EngineWorkload& workload, int blocks,
               std::unique_ptr<KvCache> cache)
      : model_(model),
        workload_(workload),
        chunk_(std::min(workload.tokens, kChunkMax)),
        cache_(std::move(cache)),
        scratch_(model.config(), chunk_ * workload.sequences, workload.sequences),
        tables_(workload.sequences, std::vector<int32_t>(blocks)) {
    for (int s = 0; s < workload.sequences; ++s) {
      std::iota(tables_[s].begin(), tables_[s].end(), s * blocks);
    }
  }

  void AddRows(int sequence, int begin, int end) {
    for (int t = begin; t < end; ++t) {
      const int token = (t * 7919 + sequence * 104729 + 1) % model_.config().vocabulary_size;
      const bool is_last = t + 1 == workload_.tokens;
      rows_.push_back({token, workload_.context + t, tables_[sequence], is_last});
    }
  }

  const Model& model_;
  const EngineWorkload workload_;
  const int chunk_;
  const std::unique_ptr<KvCache> cache_;
  ForwardScratch scratch_;
  std::vector<std::vector<int32_t>> tables_;  // [sequences]
  std::vector<ForwardRow> rows_;
};

}  // namespace

std::vector<EngineWorkload> EngineWorkloads() {
  std::vector<EngineWorkload> workloads = {
      {"decode", 1, 128, 1},
      {"decode-2k", 1, 2048, 1},
      {"decode-32k", 1, 32767, 1},
  };
  for (const int batch : {2, 4, 8, 16}) {
    workloads.push_back({"batch-" + std::to_string(batch), batch, 128, 1});
  }
  workloads.push_back({"first-token", 1, 0, 200});
  for (const int tokens : {128, 512, 4096}) {
    workloads.push_back({"prefill-" + std::to_string(tokens), 1, 0, tokens});
  }
  return workloads;
}

EngineBenchmark::EngineBenchmark(std::shared_ptr<const Model> model, KvType kv_type, int threads,
                                 const Clock& clock)
    : model_(std::move(model)), kv_type_(kv_type), clock_(clock), pool_(threads) {}

bool EngineBenchmark::Fits(const EngineWorkload& workload) const {
  return workload.context + workload.tokens <= model_->config().context_length;
}

double EngineBenchmark::ReadBandwidth() {
  return aio::ReadBandwidth(model_->packed_weights(), pool_, clock_);
}

Result<EngineFigure> EngineBenchmark::Run(const EngineWorkload& workload, int repetitions) {
  AIO_ASSIGN_OR_RETURN(const auto step, WorkloadStep::Create(*model_, kv_type_, workload));
  const auto seconds_of = [&](int steps) {
    const TimePoint begin = clock_.Now();
    for (int i = 0; i < steps; ++i) step->Run(pool_);
    return std::max(1e-6, ToMs(clock_.Now() - begin) / 1000) / steps;
  };
  seconds_of(1);  // warms up
  // Long enough steps for the clock; a reading of the bandwidth on either side of each.
  const int steps = std::max(1, static_cast<int>(0.5 / seconds_of(1)));
  EngineFigure figure = step->Describe();
  const double gigabytes = static_cast<double>(figure.weight_bytes + figure.kv_bytes) / 1e9;
  std::vector<double> seconds, bandwidths, shares;
  double before = ReadBandwidth();
  for (int i = 0; i < repetitions; ++i) {
    const double each = seconds_of(steps);
    const double after = ReadBandwidth();
    const double read = (before + after) / 2;
    before = after;
    seconds.push_back(each);
    bandwidths.push_back(read);
    shares.push_back(gigabytes / each / read);
  }
  const double median = Median(seconds);
  figure.ms_per_step = median * 1000;
  figure.tokens_per_second = figure.tokens / median;
  figure.gb_per_second = gigabytes / median;
  figure.read_gb_per_second = Median(bandwidths);
  figure.share = Median(shares);
  return figure;
}

int64_t PeakMemoryBytes() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace aio
