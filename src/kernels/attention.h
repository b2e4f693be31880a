// Attention over a blocked KV cache (kernels/kv_block.h).
//
// Exactness: the bits of an output depend on its query and the keys and values up to its
// position alone. Scores are summed dimension by dimension (even and odd ones apart), values
// position by position, blocks in order with a running maximum and sum (Milakov and
// Gimelshein 2018, "Online normalizer calculation for softmax") that begin anew every
// kAttentionSpanKeys keys; the spans are then merged in order. Hence spans may be computed at
// once, and queries together.
#ifndef AIO_KERNELS_ATTENTION_H_
#define AIO_KERNELS_ATTENTION_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kv_block.h"

namespace aio {

// Pairs of a row and a query head that go together: each key and value is decoded once for
// all of them.
inline constexpr int kAttentionPairs = 8;
inline constexpr int kAttentionSpanKeys = 2048;

// Query heads that share a KV head, of rows at consecutive positions of one sequence.
struct AttentionTile {
  KvHeadView kv;
  // Position p lives in block block_table[p / kKvBlockTokens].
  std::span<const int32_t> block_table;
  int first_position = 0;  // row r sees the keys of positions [0, first_position + r]
  int rows = 0;
  int heads = 0;  // rows * heads <= kAttentionPairs
  float scale = 1.0f;
  // Of row r: [heads, head_size] at query + r * row_stride; the same for `out`.
  const float* query = nullptr;
  float* out = nullptr;
  size_t row_stride = 0;

  int num_keys() const { return first_position + rows; }
  int num_spans() const { return (num_keys() + kAttentionSpanKeys - 1) / kAttentionSpanKeys; }
};

// out = sum over positions of softmax(scale * query . key) * value
void Attention(const AttentionTile& tile);

// The same in two steps, the spans on any threads in any order: AttendSpan() for every span of
// the tile, then MergeSpans(). `partials` is [num_spans][AttentionPartialFloats()].
constexpr size_t AttentionPartialFloats(int head_size) {
  return kAttentionPairs * (KvPaddedHeadSize(head_size) + 2);
}
void AttendSpan(const AttentionTile& tile, int span, float* partial);
void MergeSpans(const AttentionTile& tile, float* partials);

}  // namespace aio

#endif  // AIO_KERNELS_ATTENTION_H_
