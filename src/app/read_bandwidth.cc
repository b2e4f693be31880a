#include "app/read_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "kernels/kernels.h"

namespace aio {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double ReadBandwidth(std::span<const std::byte> memory, ThreadPool& pool, const Clock& clock,
                     int64_t bytes_min) {
  constexpr size_t kPiece = size_t{1} << 20;
  const size_t pieces = memory.size() / kPiece;
  if (pieces == 0) return 0;
  const auto bytes = static_cast<int64_t>(pieces * kPiece);
  const int64_t rounds = (bytes_min + bytes - 1) / bytes;
  std::atomic<uint64_t> sink{0};
  const TimePoint begin = clock.Now();
  for (int64_t round = 0; round < rounds; ++round) {
    pool.ParallelFor(pieces, [&](size_t i, int /*thread*/) {
      const auto* words = reinterpret_cast<const uint64_t*>(memory.data() + i * kPiece);
      sink.fetch_add(SumOfWords({words, kPiece / sizeof(uint64_t)}), std::memory_order_relaxed);
    });
  }
  const double seconds = ToMs(clock.Now() - begin) / 1000;
  return static_cast<double>(rounds * bytes) / seconds / 1e9;
}

}  // namespace aio
