#include "kernels/kv_block.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/kv_block.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/loads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

// Codes of kKvScaleDims values, to nearest under the scale as it is stored. The largest
// magnitude becomes 127, or 128 where the scale was rounded down: held at 127.
void EncodeCodes(const float* x, int8_t* codes, uint16_t* scale) {
  const FloatTag d;
  FloatVector magnitudes = hn::Zero(d);
  for (size_t i = 0; i < kKvScaleDims; i += kLanes) {
    magnitudes = hn::Max(magnitudes, hn::Abs(hn::LoadU(d, x + i)));
  }
  *scale = F32ToF16(hn::GetLane(hn::MaxOfLanes(d, magnitudes)) / 127.0f);
  const float stored = F16ToF32(*scale);
  const FloatVector inverse = hn::Set(d, stored == 0.0f ? 0.0f : 1.0f / stored);
  const FloatVector limit = hn::Set(d, 127.0f);
  const hn::Rebind<int8_t, FloatTag> code_tag;
  for (size_t i = 0; i < kKvScaleDims; i += kLanes) {
    const FloatVector scaled = hn::Mul(hn::LoadU(d, x + i), inverse);
    const auto rounded = hn::NearestInt(hn::Min(hn::Max(scaled, hn::Neg(limit)), limit));
    hn::StoreU(hn::DemoteTo(code_tag, rounded), code_tag, codes + i);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(EncodeCodes);

namespace {

constexpr int kHeadSizeMax = 1024;
constexpr size_t kSlots = kKvBlockTokens;

// `values` as `type`; Q8_0's scales go to `scales`, kSlots apart.
void Encode(std::span<const float> values, KvType type, std::byte* out, std::byte* scales) {
  if (type == KvType::kF32) {
    std::memcpy(out, values.data(), values.size_bytes());
  } else if (type == KvType::kF16) {
    EncodeF16(values, out);
  } else {
    for (size_t i = 0; i < values.size(); i += kKvScaleDims) {
      uint16_t scale;
      HWY_DYNAMIC_DISPATCH(EncodeCodes)
      (values.data() + i, reinterpret_cast<int8_t*>(out + i), &scale);
      std::memcpy(scales + i / kKvScaleDims * kSlots * sizeof(scale), &scale, sizeof(scale));
    }
  }
}

// out[i][slot] = values[i], of kBytes each.
template <size_t kBytes>
void Scatter(const std::byte* values, size_t size, std::byte* out, size_t slot) {
  for (size_t i = 0; i < size; ++i) {
    std::memcpy(out + (i * kSlots + slot) * kBytes, values + i * kBytes, kBytes);
  }
}

}  // namespace

std::string_view KvTypeName(KvType type) {
  return type == KvType::kF32 ? "f32" : type == KvType::kF16 ? "f16" : "q8_0";
}

std::optional<KvType> KvTypeFromName(std::string_view name) {
  for (const KvType type : kAllKvTypes) {
    if (name == KvTypeName(type)) return type;
  }
  return std::nullopt;
}

void StoreKeyValue(const KvHeadView& kv, int block, int slot, std::span<const float> key,
                   std::span<const float> value) {
  const size_t size = kv.head_size;
  AIO_CHECK(block >= 0 && block < kv.num_blocks, "KV: block out of range");
  AIO_CHECK(slot >= 0 && slot < kKvBlockTokens, "KV: slot out of range");
  AIO_CHECK(KvTypeHolds(kv.type, kv.head_size) && kv.head_size <= kHeadSizeMax);
  AIO_CHECK(key.size() == size && value.size() == size);
  internal::EnsureTargetChosen();
  const KvPieceLayout layout = LayoutOfPiece(kv.type, kv.head_size);
  std::byte* piece = kv.pieces + static_cast<size_t>(block) * layout.bytes;
  const size_t bytes = KvValueBytes(kv.type);
  const auto scales = [&](size_t offset) { return piece + offset + slot * sizeof(uint16_t); };
  Encode(value, kv.type, piece + layout.values + slot * KvPaddedHeadSize(kv.head_size) * bytes,
         scales(layout.value_scales));

  alignas(64) std::byte encoded[kHeadSizeMax * sizeof(float)];
  Encode(key, kv.type, encoded, scales(layout.key_scales));
  if (kv.type == KvType::kQ8_0) {
    for (size_t i = 0; i < size; ++i) encoded[i] ^= std::byte{kKvKeyCodeZero};
    return Scatter<kKvKeyGroup>(encoded, size / kKvKeyGroup, piece + layout.keys, slot);
  }
  if (kv.type == KvType::kF16) return Scatter<2>(encoded, size, piece + layout.keys, slot);
  Scatter<4>(encoded, size, piece + layout.keys, slot);
}

}  // namespace aio
#endif  // HWY_ONCE
