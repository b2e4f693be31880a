#include "app/bench_engine.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>
#include <random>
#include <utility>

#include "engine/block_pool.h"

namespace aio {

namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Sums what it reads, so that the reads are made.
uint64_t SumOf(const std::byte* data, size_t bytes) {
  uint64_t sums[32] = {};
  for (size_t i = 0; i + sizeof(sums) <= bytes; i += sizeof(sums)) {
    uint64_t values[32];
    std::memcpy(values, data + i, sizeof(values));
    for (int lane = 0; lane < 32; ++lane) sums[lane] += values[lane];
  }
  return std::accumulate(std::begin(sums), std::end(sums), uint64_t{0});
}

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
  // The model's own weights, read as they lie: what streaming them could reach at best.
  // Small models are read again and again, which then measures a cache.
  constexpr size_t kPiece = size_t{1} << 20;
  constexpr int64_t kBytesMin = int64_t{2} << 30;
  const std::span<const std::byte> weights = model_->packed_weights();
  const size_t pieces = weights.size() / kPiece;
  if (pieces == 0) return 0;
  const int64_t rounds = std::max<int64_t>(1, kBytesMin / static_cast<int64_t>(pieces * kPiece));
  std::atomic<uint64_t> sink{0};
  const TimePoint begin = clock_.Now();
  for (int64_t round = 0; round < rounds; ++round) {
    pool_.ParallelFor(pieces, [&](size_t i, int /*thread*/) {
      sink.fetch_add(SumOf(weights.data() + i * kPiece, kPiece), std::memory_order_relaxed);
    });
  }
  const double seconds = ToMs(clock_.Now() - begin) / 1000;
  return static_cast<double>(rounds) * static_cast<double>(pieces * kPiece) / seconds / 1e9;
}

Result<EngineFigure> EngineBenchmark::Run(const EngineWorkload& workload, int repetitions) {
  // A long prefill goes in chunks, as in the engine (whose chunks are a setting).
  constexpr int kChunk = 512;
  const ModelConfig& config = model_->config();
  const int positions = workload.context + workload.tokens;
  const int blocks = BlockPool::BlocksFor(positions);
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<KvCache> cache,
                       KvCache::Create(config, kv_type_, blocks * workload.sequences));
  Fill(*cache, config);
  const int chunk = std::min(workload.tokens, kChunk);
  ForwardScratch scratch(config, chunk * workload.sequences, workload.sequences);

  std::vector<std::vector<int32_t>> tables(workload.sequences, std::vector<int32_t>(blocks));
  for (int s = 0; s < workload.sequences; ++s) {
    std::iota(tables[s].begin(), tables[s].end(), s * blocks);
  }
  std::vector<ForwardRow> rows;
  const auto step = [&] {
    for (int first = 0; first < workload.tokens; first += chunk) {
      rows.clear();
      const int end = std::min(workload.tokens, first + chunk);
      for (int s = 0; s < workload.sequences; ++s) {
        for (int t = first; t < end; ++t) {
          const int token = (t * 7919 + s * 104729 + 1) % config.vocabulary_size;
          rows.push_back({token, workload.context + t, tables[s], t + 1 == workload.tokens});
        }
      }
      Forward(*model_, rows, *cache, scratch, pool_);
    }
  };

  step();  // warms up
  // Long enough steps for the clock; a reading of the bandwidth on either side of each.
  const TimePoint begin = clock_.Now();
  step();
  const double once = std::max(1e-6, ToMs(clock_.Now() - begin) / 1000);
  const int steps = std::max(1, static_cast<int>(0.5 / once));
  std::vector<double> seconds, bandwidths, shares;
  const int64_t weight_bytes = model_->summary().bytes_per_token;
  const int64_t kv_bytes = int64_t{workload.sequences} * workload.context *
                           (KvCache::BlockBytes(config, kv_type_) / KvCache::kBlockTokens);
  double before = ReadBandwidth();
  for (int i = 0; i < repetitions; ++i) {
    const TimePoint start = clock_.Now();
    for (int j = 0; j < steps; ++j) step();
    const double each = ToMs(clock_.Now() - start) / 1000 / steps;
    const double after = ReadBandwidth();
    const double read = (before + after) / 2;
    before = after;
    seconds.push_back(each);
    bandwidths.push_back(read);
    shares.push_back(static_cast<double>(weight_bytes + kv_bytes) / each / 1e9 / read);
  }

  EngineFigure figure;
  figure.workload = workload.name;
  figure.context = workload.context;
  figure.tokens = workload.tokens * workload.sequences;
  const double median = Median(seconds);
  figure.ms_per_step = median * 1000;
  figure.tokens_per_second = figure.tokens / median;
  figure.weight_bytes = weight_bytes;
  figure.kv_bytes = kv_bytes;
  figure.gb_per_second = static_cast<double>(weight_bytes + kv_bytes) / median / 1e9;
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
