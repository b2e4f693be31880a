#include "app/read_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <numeric>

namespace aio {

namespace {

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

}  // namespace

double ReadBandwidth(std::span<const std::byte> memory, ThreadPool& pool, const Clock& clock) {
  constexpr size_t kPiece = size_t{1} << 20;
  constexpr int64_t kBytesMin = int64_t{4} << 30;
  const size_t pieces = memory.size() / kPiece;
  if (pieces == 0) return 0;
  const int64_t rounds = std::max<int64_t>(1, kBytesMin / static_cast<int64_t>(pieces * kPiece));
  std::atomic<uint64_t> sink{0};
  const TimePoint begin = clock.Now();
  for (int64_t round = 0; round < rounds; ++round) {
    pool.ParallelFor(pieces, [&](size_t i, int /*thread*/) {
      sink.fetch_add(SumOf(memory.data() + i * kPiece, kPiece), std::memory_order_relaxed);
    });
  }
  const double seconds = ToMs(clock.Now() - begin) / 1000;
  return static_cast<double>(rounds) * static_cast<double>(pieces * kPiece) / seconds / 1e9;
}

}  // namespace aio
