// Forward() and ComputeLayer() at the end of this file are the model; what stands before them
// are their stages.
#include "model/forward.h"

#include <cmath>
#include <initializer_list>

#include "base/check.h"
#include "kernels/attention.h"
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
  std::span<const ForwardRow> rows;  // fewer after each layer that is the last of some
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
  AIO_CHECK(!row.wants_logits || row.num_layers >= step.config.num_layers,
            "logits need all layers");
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
  int num_layers = ForwardRow::kAllLayers;
  for (const ForwardRow& row : step.rows) {
    CheckRow(step, row);
    AIO_CHECK(row.num_layers >= 0 && row.num_layers <= num_layers, "rows out of order of layers");
    num_layers = row.num_layers;
  }
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

// Writes row i's keys and values to the cache.
void StoreKeysAndValues(const Step& step, int layer, size_t i) {
  const ForwardRow& row = step.rows[i];
  const size_t head_size = step.config.head_size;
  const int block = row.block_table[row.position / KvCache::kBlockTokens];
  const int slot = row.position % KvCache::kBlockTokens;
  const size_t kv_heads = step.config.num_kv_heads;
  for (size_t head = 0; head < kv_heads; ++head) {
    StoreKeyValue(step.cache.Head(layer, static_cast<int>(head)), block, slot,
                  Row(step.b.key, i * kv_heads + head, head_size),
                  Row(step.b.value, i * kv_heads + head, head_size));
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

// How the query heads that share a KV head are split, so that each part fits a tile.
struct HeadParts {
  explicit HeadParts(const ModelConfig& config)
      : group(config.num_heads / config.num_kv_heads),
        parts((group + kAttentionPairs - 1) / kAttentionPairs),
        rows(kAttentionPairs / ((group + parts - 1) / parts)) {}

  size_t group;  // heads
  size_t parts;
  size_t rows;  // most of a tile

  size_t first(size_t part) const { return part * group / parts; }
};

// Splits the step's rows into tiles of one sequence's neighbours.
void BuildTiles(const Step& step) {
  const size_t most = HeadParts(step.config).rows;
  std::vector<RowTile>& tiles = step.b.tiles;
  tiles.clear();
  size_t spans = 0;
  for (size_t i = 0; i < step.rows.size(); ++i) {
    const ForwardRow& row = step.rows[i];
    const size_t row_spans = static_cast<size_t>(row.position) / kAttentionSpanKeys + 1;
    const bool follows = i > 0 && row.block_table.data() == step.rows[i - 1].block_table.data() &&
                         row.position == step.rows[i - 1].position + 1;
    if (follows && tiles.back().rows < most) {
      ++tiles.back().rows;
    } else {
      tiles.push_back({i, 1, spans});
    }
    spans = tiles.back().first_span + row_spans;
  }
}

AttentionTile MakeTile(const Step& step, int layer, size_t head_task, const RowTile& rows) {
  const ModelConfig& config = step.config;
  const HeadParts heads(config);
  const size_t kv_head = head_task / heads.parts;
  const size_t part = head_task % heads.parts;
  const size_t begin = heads.first(part);
  const ForwardRow& last = step.rows[rows.first_row + rows.rows - 1];
  AttentionTile tile;
  tile.kv = step.cache.Head(layer, static_cast<int>(kv_head));
  tile.block_table = last.block_table;
  tile.first_position = step.rows[rows.first_row].position;
  tile.rows = static_cast<int>(rows.rows);
  tile.heads = static_cast<int>(heads.first(part + 1) - begin);
  tile.scale = 1.0f / std::sqrt(static_cast<float>(config.head_size));
  tile.row_stride = static_cast<size_t>(config.num_heads) * config.head_size;
  const size_t offset =
      rows.first_row * tile.row_stride + (kv_head * heads.group + begin) * config.head_size;
  tile.query = step.b.query.data() + offset;
  tile.out = step.b.attention.data() + offset;
  return tile;
}

// Parallel over the spans of long contexts too: for steps that have too few tasks otherwise.
void AttendSpans(const Step& step, int layer, size_t head_tasks, size_t spans) {
  const std::vector<RowTile>& tiles = step.b.tiles;
  const size_t partial_floats = AttentionPartialFloats(step.config.head_size);
  float* partials = step.b.partials.data();
  step.pool.ParallelFor(head_tasks * spans, [&](size_t task, int /*thread*/) {
    size_t t = tiles.size() - 1;
    while (task % spans < tiles[t].first_span) --t;
    AttendSpan(MakeTile(step, layer, task / spans, tiles[t]),
               static_cast<int>(task % spans - tiles[t].first_span),
               partials + task * partial_floats);
  });
  step.pool.ParallelFor(head_tasks * tiles.size(), [&](size_t task, int /*thread*/) {
    const RowTile& rows = tiles[task % tiles.size()];
    const size_t head_task = task / tiles.size();
    MergeSpans(MakeTile(step, layer, head_task, rows),
               partials + (head_task * spans + rows.first_span) * partial_floats);
  });
}

// Parallel over (KV head, tile): the query heads that share a KV head and neighbouring rows go
// together, so that its keys and values are read once.
void Attend(const Step& step, int layer) {
  const std::vector<RowTile>& tiles = step.b.tiles;
  const size_t head_tasks = step.config.num_kv_heads * HeadParts(step.config).parts;
  const size_t tasks = head_tasks * tiles.size();
  if (tasks == 0) return;
  const AttentionTile last = MakeTile(step, layer, 0, tiles.back());
  const size_t spans = tiles.back().first_span + last.num_spans();
  constexpr size_t kTasksPerThread = 4;  // for the threads to end together
  if (spans > tiles.size() && tasks < kTasksPerThread * step.pool.num_threads() &&
      head_tasks * spans * AttentionPartialFloats(last.kv.head_size) <= step.b.partials.size()) {
    return AttendSpans(step, layer, head_tasks, spans);
  }
  step.pool.ParallelFor(tasks, [&](size_t task, int /*thread*/) {
    Attention(MakeTile(step, layer, task / tiles.size(), tiles[task % tiles.size()]));
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

// What has been computed by `layers` layers, to those who want to see it.
void ShowHidden(const Step& step, int layers) {
  for (size_t i = 0; i < step.rows.size(); ++i) {
    const ForwardRow& row = step.rows[i];
    if (row.hidden == nullptr || !row.hidden->Wants(layers)) continue;
    row.hidden->Read(layers, row.position, Row(step.b.x, i, step.hidden()));
  }
}

// Those rows that have no more layers leave the step; they are its last ones.
void DropCompleteRows(int layers, Step& step) {
  size_t count = step.rows.size();
  while (count > 0 && step.rows[count - 1].num_layers <= layers) --count;
  if (count == step.rows.size()) return;
  step.rows = step.rows.first(count);
  BuildTiles(step);
}

// One layer of the model.
void ComputeLayer(const Step& step, int layer) {
  const ModelConfig& config = step.config;
  const LayerWeights& w = step.weights.layers[layer];
  ForwardScratch::Buffers& b = step.b;
  const std::span<float> normed = step.All(b.normed, config.hidden_size);
  const std::span<float> query = step.All(b.query, config.num_heads * config.head_size);
  const std::span<float> key = step.All(b.key, config.kv_size());
  const std::span<float> value = step.All(b.value, config.kv_size());
  const std::span<float> attention = step.All(b.attention, config.num_heads * config.head_size);
  const std::span<float> gate = step.All(b.gate, config.intermediate_size);
  const std::span<float> up = step.All(b.up, config.intermediate_size);
  const std::span<float> delta = step.All(b.delta, config.hidden_size);

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

}  // namespace

std::span<const float> Forward(const Model& model, std::span<const ForwardRow> rows, KvCache& cache,
                               ForwardScratch& scratch, ThreadPool& pool) {
  const ModelConfig& config = model.config();
  Step step{config, model.weights(), rows, cache, scratch.buffers(), pool};
  CheckStep(step);
  BuildTiles(step);
  EmbedTokens(step);
  ShowHidden(step, 0);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    DropCompleteRows(layer, step);
    if (step.rows.empty()) break;
    ComputeLayer(step, layer);
    ShowHidden(step, layer + 1);
  }
  return OutputLogits(step);
}

}  // namespace aio
