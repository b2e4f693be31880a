#include "model/forward_scratch.h"

#include <cmath>

#include "base/check.h"

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

}  // namespace

ForwardScratch::ForwardScratch(const ModelConfig& config, int max_rows, int max_logit_rows,
                               int /*num_threads*/)
    : buffers_(std::make_unique<Buffers>()) {
  AIO_CHECK(max_rows > 0 && max_logit_rows > 0);
  const size_t rows = max_rows;
  const size_t logit_rows = max_logit_rows;
  const size_t hidden = config.hidden_size;
  const size_t queries = static_cast<size_t>(config.num_heads) * config.head_size;
  const size_t keys = config.kv_size();
  const size_t intermediate = config.intermediate_size;
  Buffers& b = *buffers_;
  b.max_rows = max_rows;
  b.max_logit_rows = max_logit_rows;
  b.hidden_size = config.hidden_size;
  b.vocabulary_size = config.vocabulary_size;
  b.rope_frequencies = RopeFrequencies(config);
  b.cos.resize(rows * b.rope_frequencies.size());
  b.sin.resize(rows * b.rope_frequencies.size());
  b.x.resize(rows * hidden);
  b.normed.resize(rows * hidden);
  b.query.resize(rows * queries);
  b.key.resize(rows * keys);
  b.value.resize(rows * keys);
  b.attention.resize(rows * queries);
  b.gate.resize(rows * intermediate);
  b.up.resize(rows * intermediate);
  b.delta.resize(rows * hidden);
  b.last.resize(logit_rows * hidden);
  b.logits.resize(logit_rows * static_cast<size_t>(config.vocabulary_size));
}

ForwardScratch::~ForwardScratch() = default;
int ForwardScratch::max_rows() const { return buffers_->max_rows; }
int ForwardScratch::max_logit_rows() const { return buffers_->max_logit_rows; }

}  // namespace aio
