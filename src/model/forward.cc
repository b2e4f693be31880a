// Forward() at the end of this file is the model; what stands before it are its stages.
#include "model/forward.h"

#include <cmath>
#include <cstring>
#include <initializer_list>

#include "base/check.h"
#include "kernels/kernels.h"
#include "kernels/matmul.h"
#include "model/forward_scratch.h"

namespace aio {
namespace {

using Buffer = AlignedVector<float>;

// Row `i` of a row-major buffer with rows of `size` values.
std::span<float> Row(Buffer& buffer, size_t i, size_t size) {
  return std::span(buffer).subspan(i * size, size);
}

// One call of Forward(): what its stages share.
struct Step {
  const ModelConfig& config;
  const Weights& weights;
  std::span<const ForwardRow> rows;
  KvCache& cache;
  ForwardScratch::Buffers& b;
  ThreadPool& pool;

  size_t hidden() const { return config.hidden_size; }

  // The part of a buffer that the step's rows use.
  std::span<float> All(Buffer& buffer, size_t row_size) const {
    return std::span(buffer).first(rows.size() * row_size);
  }
  template <typename Body>
  void ForEachRow(const Body& body) const {
    pool.ParallelFor(rows.size(), [&](size_t i, int /*thread*/) { body(i); });
  }
};

void CheckRow(const Step& step, const ForwardRow& row) {
  AIO_CHECK(row.token >= 0 && row.token < step.config.vocabulary_size, "token out of range");
  AIO_CHECK(row.position >= 0 && row.position < step.config.context_length,
            "position out of range");
  const size_t blocks = static_cast<size_t>(row.position) / KvCache::kBlockTokens + 1;
  AIO_CHECK(row.block_table.size() >= blocks, "position beyond the block table");
  for (const int32_t block : row.block_table.first(blocks)) {
    AIO_CHECK(block >= 0 && block < step.cache.num_blocks(), "block out of range");
  }
}

void CheckStep(const Step& step) {
  AIO_CHECK(step.b.config == &step.config, "the scratch was made for another model");
  AIO_CHECK(step.cache.IsFor(step.config), "the KV cache was made for another model");
  AIO_CHECK(step.rows.size() <= static_cast<size_t>(step.b.max_rows), "too many rows in a step");
  for (const ForwardRow& row : step.rows) CheckRow(step, row);
}

// The products of a step that share their input.
void Multiply(const Step& step, std::span<const float> x, std::initializer_list<Product> products) {
  MatMul(std::span(products.begin(), products.size()), x, step.b.matmul, step.pool);
}

// x = the tokens' embeddings; and the angles of the rows' positions, once for all layers.
void EmbedTokens(const Step& step) {
  const size_t pairs = step.b.rope_frequencies.size();
  step.ForEachRow([&](size_t i) {
    DecodeRow(step.weights.token_embedding, step.rows[i].token, Row(step.b.x, i, step.hidden()));
    RopeAngles(step.rows[i].position, step.b.rope_frequencies, Row(step.b.cos, i, pairs),
               Row(step.b.sin, i, pairs));
  });
}

// normed = RMS norm of x
void Norm(const Step& step, const std::vector<float>& weight) {
  step.ForEachRow([&](size_t i) {
    RmsNorm(Row(step.b.x, i, step.hidden()), weight, step.config.rms_norm_epsilon,
            Row(step.b.normed, i, step.hidden()));
  });
}

// x += delta
void AddDelta(const Step& step) {
  step.ForEachRow([&](size_t i) {
    AddInPlace(Row(step.b.x, i, step.hidden()), Row(step.b.delta, i, step.hidden()));
  });
}

// qwen3: every head of queries or keys has its own RMS norm, with shared weights.
void NormHeads(const ModelConfig& config, const std::vector<float>& weight,
               std::span<float> heads) {
  if (weight.empty()) return;
  for (; !heads.empty(); heads = heads.subspan(weight.size())) {
    const std::span<float> head = heads.first(weight.size());
    RmsNorm(head, weight, config.rms_norm_epsilon, head);
  }
}

void Store(std::span<const float> values, KvType type, std::byte* out) {
  if (type == KvType::kF16) {
    EncodeF16(values, out);
  } else {
    std::memcpy(out, values.data(), values.size_bytes());
  }
}

// Writes row i's keys and values to the cache.
void StoreKeysAndValues(const Step& step, int layer, size_t i) {
  const ForwardRow& row = step.rows[i];
  const size_t head_size = step.config.head_size;
  const KvType type = step.cache.type();
  const int block = row.block_table[row.position / KvCache::kBlockTokens];
  const size_t slot = row.position % KvCache::kBlockTokens;
  const size_t offset = slot * head_size * (type == KvType::kF16 ? 2 : 4);
  const size_t kv_heads = step.config.num_kv_heads;
  for (size_t head = 0; head < kv_heads; ++head) {
    const int h = static_cast<int>(head);
    Store(Row(step.b.key, i * kv_heads + head, head_size), type,
          step.cache.Keys(layer, block, h) + offset);
    Store(Row(step.b.value, i * kv_heads + head, head_size), type,
          step.cache.Values(layer, block, h) + offset);
  }
}

// Rotates every row's queries and keys for its position, and fills the cache.
void RotateAndStore(const Step& step, int layer) {
  const ModelConfig& config = step.config;
  const LayerWeights& w = step.weights.layers[layer];
  const size_t pairs = step.b.rope_frequencies.size();
  const size_t head_size = config.head_size;
  step.ForEachRow([&](size_t i) {
    const std::span<float> query = Row(step.b.query, i, config.num_heads * head_size);
    const std::span<float> key = Row(step.b.key, i, config.num_kv_heads * head_size);
    const std::span<float> cos = Row(step.b.cos, i, pairs);
    const std::span<float> sin = Row(step.b.sin, i, pairs);
    NormHeads(config, w.query_norm, query);
    NormHeads(config, w.key_norm, key);
    RopeInPlace(query, config.head_size, config.rope_pairing, cos, sin);
    RopeInPlace(key, config.head_size, config.rope_pairing, cos, sin);
    StoreKeysAndValues(step, layer, i);
  });
}

// Parallel over (row, KV head): the query heads that share a KV head go together, so that
// its keys and values are read once.
void Attend(const Step& step, int layer) {
  const ModelConfig& config = step.config;
  const size_t kv_heads = config.num_kv_heads;
  const size_t group_size =
      static_cast<size_t>(config.num_heads) / kv_heads * static_cast<size_t>(config.head_size);
  const float scale = 1.0f / std::sqrt(static_cast<float>(config.head_size));
  step.pool.ParallelFor(step.rows.size() * kv_heads, [&](size_t task, int /*thread*/) {
    const ForwardRow& row = step.rows[task / kv_heads];
    const int kv_head = static_cast<int>(task % kv_heads);
    Attention(step.cache.Head(layer, kv_head), row.block_table, row.position + 1, scale,
              Row(step.b.query, task, group_size), Row(step.b.attention, task, group_size));
  });
}

// gate = silu(gate) * up
void SwiGlu(const Step& step) {
  const size_t size = step.config.intermediate_size;
  step.ForEachRow(
      [&](size_t i) { SwiGluInPlace(Row(step.b.gate, i, size), Row(step.b.up, i, size)); });
}

// The logits of the rows that want them, in row order.
std::span<const float> OutputLogits(const Step& step) {
  size_t count = 0;
  for (size_t i = 0; i < step.rows.size(); ++i) {
    if (!step.rows[i].wants_logits) continue;
    AIO_CHECK(count < static_cast<size_t>(step.b.max_logit_rows), "too many rows want logits");
    RmsNorm(Row(step.b.x, i, step.hidden()), step.weights.output_norm, step.config.rms_norm_epsilon,
            Row(step.b.last, count++, step.hidden()));
  }
  if (count == 0) return {};
  const size_t vocabulary = step.config.vocabulary_size;
  const std::span<float> logits = std::span(step.b.logits).first(count * vocabulary);
  Multiply(step, std::span(step.b.last).first(count * step.hidden()),
           {{step.weights.output, {}, logits}});
  return logits;
}

}  // namespace

std::span<const float> Forward(const Model& model, std::span<const ForwardRow> rows, KvCache& cache,
                               ForwardScratch& scratch, ThreadPool& pool) {
  const ModelConfig& config = model.config();
  ForwardScratch::Buffers& b = scratch.buffers();
  const Step step{config, model.weights(), rows, cache, b, pool};
  CheckStep(step);
  const std::span<float> normed = step.All(b.normed, config.hidden_size);
  const std::span<float> query = step.All(b.query, config.num_heads * config.head_size);
  const std::span<float> key = step.All(b.key, config.kv_size());
  const std::span<float> value = step.All(b.value, config.kv_size());
  const std::span<float> attention = step.All(b.attention, config.num_heads * config.head_size);
  const std::span<float> gate = step.All(b.gate, config.intermediate_size);
  const std::span<float> up = step.All(b.up, config.intermediate_size);
  const std::span<float> delta = step.All(b.delta, config.hidden_size);

  EmbedTokens(step);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const LayerWeights& w = model.weights().layers[layer];
    Norm(step, w.attention_norm);
    Multiply(
        step, normed,
        {{w.query, w.query_bias, query}, {w.key, w.key_bias, key}, {w.value, w.value_bias, value}});
    RotateAndStore(step, layer);
    Attend(step, layer);
    Multiply(step, attention, {{w.attention_output, w.attention_output_bias, delta}});
    AddDelta(step);

    Norm(step, w.mlp_norm);
    Multiply(step, normed, {{w.gate, {}, gate}, {w.up, {}, up}});
    SwiGlu(step);
    Multiply(step, gate, {{w.down, {}, delta}});
    AddDelta(step);
  }
  return OutputLogits(step);
}

}  // namespace aio
