#include "model/forward_scratch.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "kernels/attention.h"

namespace aio {
namespace {

// See ModelConfig::rope_factors.
std::vector<double> RopeFrequencies(const ModelConfig& config) {
  std::vector<double> frequencies(config.rope_factors.size());
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / config.rope_dims;
    frequencies[i] = std::pow(static_cast<double>(config.rope_freq_base), exponent) /
                     config.rope_factors[i] * config.rope_scale;
  }
  return frequencies;
}

// For attention that is split into spans: as many as a step of few rows has in long contexts.
size_t PartialFloats(const ModelConfig& config, size_t rows) {
  constexpr size_t kMaxBytes = size_t{8} << 20;
  const size_t spans = (config.context_length + kAttentionSpanKeys - 1) / kAttentionSpanKeys;
  if (spans < 2) return 0;
  const size_t each = AttentionPartialFloats(config.head_size);
  return std::min(rows * config.num_heads * spans, kMaxBytes / sizeof(float) / each) * each;
}

// Every buffer's number of floats.
struct BufferSize {
  AlignedVector<float> ForwardScratch::Buffers::*buffer;
  size_t count;
};
std::vector<BufferSize> BufferSizes(const ModelConfig& config, size_t rows, size_t logit_rows) {
  using B = ForwardScratch::Buffers;
  const size_t hidden = config.hidden_size;
  const size_t queries = static_cast<size_t>(config.num_heads) * config.head_size;
  const size_t keys = config.kv_size();
  const size_t pairs = config.rope_factors.size();
  const size_t intermediate = config.intermediate_size;
  return {{&B::cos, rows * pairs},
          {&B::sin, rows * pairs},
          {&B::x, rows * hidden},
          {&B::normed, rows * hidden},
          {&B::query, rows * queries},
          {&B::key, rows * keys},
          {&B::value, rows * keys},
          {&B::attention, rows * queries},
          {&B::gate, rows * intermediate},
          {&B::up, rows * intermediate},
          {&B::delta, rows * hidden},
          {&B::last, logit_rows * hidden},
          {&B::partials, PartialFloats(config, rows)},
          {&B::logits, logit_rows * static_cast<size_t>(config.vocabulary_size)}};
}

size_t MaxColumns(const ModelConfig& config) {
  return std::max(
      {config.hidden_size, config.num_heads * config.head_size, config.intermediate_size});
}

}  // namespace

int64_t ForwardScratch::Bytes(const ModelConfig& config, int max_rows, int max_logit_rows) {
  size_t floats = 0;
  for (const BufferSize& size : BufferSizes(config, max_rows, max_logit_rows)) {
    floats += size.count;
  }
  return static_cast<int64_t>(floats * sizeof(float) +
                              MatMulScratch::Bytes(max_rows, MaxColumns(config)));
}

ForwardScratch::ForwardScratch(const ModelConfig& config, int max_rows, int max_logit_rows) {
  AIO_CHECK(max_rows > 0 && max_logit_rows > 0 && max_logit_rows <= max_rows);
  buffers_ = std::make_unique<Buffers>(max_rows, MaxColumns(config));
  buffers_->config = &config;
  buffers_->max_rows = max_rows;
  buffers_->max_logit_rows = max_logit_rows;
  buffers_->tiles.reserve(max_rows);
  buffers_->rope_frequencies = RopeFrequencies(config);
  for (const BufferSize& size : BufferSizes(config, max_rows, max_logit_rows)) {
    ((*buffers_).*size.buffer).resize(size.count);
  }
}

ForwardScratch::~ForwardScratch() = default;
int ForwardScratch::max_rows() const { return buffers_->max_rows; }
int ForwardScratch::max_logit_rows() const { return buffers_->max_logit_rows; }

}  // namespace aio
