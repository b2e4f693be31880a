// How keys and values lie in memory: what storing them and reading them share.
//
// The piece of one (layer, KV head, block of 32 positions) is contiguous: scales first (Q8_0
// only), then the keys transposed, so that a vector holds one dimension of neighbouring
// positions and scores need no horizontal sums, then the values as rows.
#ifndef AIO_KERNELS_KV_BLOCK_H_
#define AIO_KERNELS_KV_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace aio {

// Positions in one block of a KV cache; also the block in which attention accumulates.
inline constexpr int kKvBlockTokens = 32;

// kQ8_0: 8-bit codes, and for every kKvScaleDims dimensions of a position an F16 scale.
enum class KvType { kF32, kF16, kQ8_0 };

inline constexpr KvType kAllKvTypes[] = {KvType::kF32, KvType::kF16, KvType::kQ8_0};
inline constexpr int kKvScaleDims = 32;
// Keys of kQ8_0 lie in groups of four dimensions, as integer products want them, and their
// codes are unsigned: this stands for zero. Those of values are signed.
inline constexpr int kKvKeyGroup = 4;
inline constexpr int kKvKeyCodeZero = 128;

std::string_view KvTypeName(KvType type);                     // "f16"
std::optional<KvType> KvTypeFromName(std::string_view name);  // as KvTypeName has it

constexpr bool HasScales(KvType type) { return type == KvType::kQ8_0; }
// Of a head that `type` can hold: Q8_0's are whole runs of scaled dimensions.
constexpr bool KvTypeHolds(KvType type, int head_size) {
  return head_size > 0 && (!HasScales(type) || head_size % kKvScaleDims == 0);
}
constexpr size_t KvValueBytes(KvType type) {
  return type == KvType::kF32 ? 4 : type == KvType::kF16 ? 2 : 1;
}

// Rows of values are padded to whole vectors of every instruction set.
constexpr size_t KvPaddedHeadSize(int head_size) {
  return (static_cast<size_t>(head_size) + 15) / 16 * 16;
}

// Offsets in a piece, in bytes; multiples of 64 all. Scales are [head_size / kKvScaleDims]
// [kKvBlockTokens] halves, keys [head_size][kKvBlockTokens] (Q8_0: [head_size / kKvKeyGroup]
// [kKvBlockTokens][kKvKeyGroup]), values [kKvBlockTokens][KvPaddedHeadSize].
struct KvPieceLayout {
  size_t key_scales = 0;
  size_t value_scales = 0;
  size_t keys = 0;
  size_t values = 0;
  size_t bytes = 0;
};
constexpr KvPieceLayout LayoutOfPiece(KvType type, int head_size) {
  const size_t size = static_cast<size_t>(head_size);
  const size_t scales = HasScales(type) ? size / kKvScaleDims * kKvBlockTokens * 2 : 0;
  const size_t row = kKvBlockTokens * KvValueBytes(type);
  return {.key_scales = 0,
          .value_scales = scales,
          .keys = 2 * scales,
          .values = 2 * scales + size * row,
          .bytes = 2 * scales + size * row + KvPaddedHeadSize(head_size) * row};
}

// The keys and values of one (layer, KV head). A view; does not own.
struct KvHeadView {
  std::byte* pieces = nullptr;  // of blocks [0, num_blocks), one after the other
  int num_blocks = 0;
  KvType type = KvType::kF16;
  int head_size = 0;
};

// Writes the key and the value ([head_size] each) of the position in `slot` of `block`.
void StoreKeyValue(const KvHeadView& kv, int block, int slot, std::span<const float> key,
                   std::span<const float> value);

}  // namespace aio

#endif  // AIO_KERNELS_KV_BLOCK_H_
