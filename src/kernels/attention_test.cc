#include "kernels/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/half.h"
#include "kernels/kernels_testing.h"

namespace aio {
namespace {

class AttentionTest : public EveryTarget {};
AIO_INSTANTIATE_FOR_EVERY_TARGET(AttentionTest);

// The keys and values of one KV head, in blocks of descending order between those of others.
class TestKv {
 public:
  TestKv(KvType type, int head_size, int num_keys, uint64_t seed, int distance = 3)
      : head_size_(head_size) {
    const int num_blocks = (num_keys + kKvBlockTokens - 1) / kKvBlockTokens;
    view_.num_blocks = distance * (num_blocks - 1) + 1;
    view_.type = type;
    view_.head_size = head_size;
    // What was never written must not matter: NaN in every type, as floats or scales.
    memory_.assign(LayoutOfPiece(type, head_size).bytes * view_.num_blocks, std::byte{0xff});
    view_.pieces = memory_.data();
    for (int b = 0; b < num_blocks; ++b) block_table_.push_back(distance * (num_blocks - 1 - b));
    Random random(seed);
    for (int p = 0; p < num_keys; ++p) {
      keys_.push_back(random.Vector(head_size, 2.0f));
      values_.push_back(random.Vector(head_size));
      Store(p, keys_[p], values_[p]);
    }
  }
  void Store(int p, const std::vector<float>& key, const std::vector<float>& value) {
    StoreKeyValue(view_, block_table_[p / kKvBlockTokens], p % kKvBlockTokens, key, value);
  }

  const KvHeadView& view() const { return view_; }
  const std::vector<int32_t>& block_table() const { return block_table_; }
  int head_size() const { return head_size_; }
  // What was stored, and what is there.
  float key(int p, int i) const { return keys_[p][i]; }
  float value(int p, int i) const { return values_[p][i]; }
  float StoredKey(int p, int i) const {
    const KvPieceLayout at = LayoutOfPiece(view_.type, head_size_);
    const int slot = p % kKvBlockTokens;
    if (view_.type != KvType::kQ8_0) {
      return Stored(p, i, at.keys, i * kKvBlockTokens + slot, at.key_scales);
    }
    const int group = i / kKvKeyGroup * kKvBlockTokens + slot;
    const int code = Read<uint8_t>(p, at.keys + group * kKvKeyGroup + i % kKvKeyGroup);
    return Scale(p, i, at.key_scales) * static_cast<float>(code - kKvKeyCodeZero);
  }
  float StoredValue(int p, int i) const {
    const KvPieceLayout at = LayoutOfPiece(view_.type, head_size_);
    const size_t row = p % kKvBlockTokens * KvPaddedHeadSize(head_size_);
    return Stored(p, i, at.values, row + i, at.value_scales);
  }

 private:
  template <typename T>
  T Read(int p, size_t offset) const {
    T value;
    const size_t bytes = LayoutOfPiece(view_.type, head_size_).bytes;
    std::memcpy(&value, view_.pieces + block_table_[p / kKvBlockTokens] * bytes + offset,
                sizeof(value));
    return value;
  }
  float Stored(int p, int i, size_t codes, size_t index, size_t scales) const {
    if (view_.type == KvType::kF32) return Read<float>(p, codes + 4 * index);
    if (view_.type == KvType::kF16) return F16ToF32(Read<uint16_t>(p, codes + 2 * index));
    return Scale(p, i, scales) * Read<int8_t>(p, codes + index);
  }
  float Scale(int p, int i, size_t scales) const {
    const size_t scale = i / kKvScaleDims * kKvBlockTokens + p % kKvBlockTokens;
    return F16ToF32(Read<uint16_t>(p, scales + 2 * scale));
  }

  int head_size_;
  KvHeadView view_;
  std::vector<int32_t> block_table_;
  std::vector<std::byte> memory_;
  std::vector<std::vector<float>> keys_, values_;
};

// A tile's memory: rows a little further apart than they must be.
struct Queries {
  Queries(const TestKv& kv, int first_position, int rows, int heads, uint64_t seed = 13) {
    tile.kv = kv.view();
    tile.block_table = kv.block_table();
    tile.first_position = first_position;
    tile.rows = rows;
    tile.heads = heads;
    tile.scale = 1.0f / std::sqrt(static_cast<float>(kv.head_size()));
    tile.row_stride = heads * kv.head_size() + 7;
    query = Random(seed).Vector(rows * tile.row_stride, 4.0f);
    out.assign(query.size(), -1.0f);
    tile.query = query.data();
    tile.out = out.data();
  }
  Queries(const Queries&) = delete;
  std::vector<float> Out(int row, int head) const {
    const float* at = out.data() + row * tile.row_stride + head * tile.kv.head_size;
    return {at, at + tile.kv.head_size};
  }

  AttentionTile tile;
  std::vector<float> query;
  std::vector<float> out;
};

std::vector<double> Expected(const TestKv& kv, const float* query, int num_keys, float scale) {
  std::vector<double> weights(num_keys);
  for (int p = 0; p < num_keys; ++p) {
    double score = 0;
    for (int i = 0; i < kv.head_size(); ++i) score += double{query[i]} * kv.StoredKey(p, i);
    weights[p] = std::exp(score * scale);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> expected(kv.head_size());
  for (int p = 0; p < num_keys; ++p) {
    for (int i = 0; i < kv.head_size(); ++i) {
      expected[i] += weights[p] / sum * kv.StoredValue(p, i);
    }
  }
  return expected;
}

std::string Describe(const AttentionTile& tile) {
  return std::string(KvTypeName(tile.kv.type)) + ", head size " +
         std::to_string(tile.kv.head_size) + ", first position " +
         std::to_string(tile.first_position) + ", " + std::to_string(tile.rows) + " rows of " +
         std::to_string(tile.heads);
}

void ExpectRight(const TestKv& kv, const Queries& q) {
  for (int row = 0; row < q.tile.rows; ++row) {
    for (int head = 0; head < q.tile.heads; ++head) {
      const float* query = q.query.data() + row * q.tile.row_stride + head * kv.head_size();
      const std::vector<double> expected =
          Expected(kv, query, q.tile.first_position + row + 1, q.tile.scale);
      const std::vector<float> out = q.Out(row, head);
      for (int i = 0; i < kv.head_size(); ++i) {
        // Codes are multiplied with queries of 16 bits.
        ASSERT_NEAR(out[i], expected[i], q.tile.kv.type == KvType::kQ8_0 ? 2e-4 : 1e-5)
            << Describe(q.tile);
      }
    }
  }
}

TEST_P(AttentionTest, StoringKeepsWhatTheTypeCan) {
  for (const KvType type : kAllKvTypes) {
    const TestKv kv(type, 64, 70, 11);
    for (int p = 0; p < 70; ++p) {
      for (int i = 0; i < 64; ++i) {
        // Q8_0: half a step of 1/127 of the run's largest.
        const float precision = type == KvType::kF32   ? 0.0f
                                : type == KvType::kF16 ? 0x1p-11f
                                                       : 0.5f / 127 + 0x1p-11f;
        ASSERT_NEAR(kv.StoredKey(p, i), kv.key(p, i), 2 * precision);
        ASSERT_NEAR(kv.StoredValue(p, i), kv.value(p, i), precision);
      }
    }
  }
}

TEST_P(AttentionTest, Q8HoldsZerosAndTheLargest) {
  TestKv kv(KvType::kQ8_0, 32, 3, 11);
  std::vector<float> largest(32, 0.25f);
  largest[5] = -4.0f;
  kv.Store(1, std::vector<float>(32, 0.0f), largest);
  kv.Store(2, std::vector<float>(32, 1e-7f), std::vector<float>(32, -1e-7f));
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(kv.StoredKey(1, i), 0.0f);
    EXPECT_NEAR(kv.StoredValue(1, i), i == 5 ? -4.0f : 0.25f, 4.0f / 254 + 2e-3f);
    EXPECT_NEAR(kv.StoredKey(2, i), 1e-7f, 1e-7f);  // the scale is no half: nought or the next
    EXPECT_NEAR(kv.StoredValue(2, i), -1e-7f, 1e-7f);
  }
}

TEST_P(AttentionTest, AgreesWithDoublePrecision) {
  for (const KvType type : kAllKvTypes) {
    for (const int head_size : {1, 4, 16, 20, 32, 64, 80, 96, 128, 160, 256}) {
      if (!KvTypeHolds(type, head_size)) continue;
      const TestKv kv(type, head_size, 100, 12);
      for (const int position : {0, 1, 30, 31, 32, 63, 99}) {
        Queries q(kv, position, 1, 3);
        Attention(q.tile);
        ExpectRight(kv, q);
      }
    }
  }
}

TEST_P(AttentionTest, EveryShapeOfTileAgreesWithDoublePrecision) {
  for (const KvType type : kAllKvTypes) {
    for (const int head_size : {32, 96, 128}) {
      const TestKv kv(type, head_size, 110, 12);
      for (int heads = 1; heads <= kAttentionPairs; ++heads) {
        for (int rows = 1; rows * heads <= kAttentionPairs; ++rows) {
          for (const int position : {0, 29, 57, 64}) {
            Queries q(kv, position, rows, heads);
            Attention(q.tile);
            ExpectRight(kv, q);
          }
        }
      }
    }
  }
}

// Bits of every pair, computed alone.
void ExpectEachAloneTheSame(const TestKv& kv, const Queries& together) {
  for (int row = 0; row < together.tile.rows; ++row) {
    for (int head = 0; head < together.tile.heads; ++head) {
      const int size = kv.head_size();
      Queries alone(kv, together.tile.first_position + row, 1, 1);
      alone.tile.query = together.query.data() + row * together.tile.row_stride + head * size;
      Attention(alone.tile);
      ASSERT_EQ(std::memcmp(alone.out.data(), together.Out(row, head).data(), size * sizeof(float)),
                0)
          << Describe(together.tile) << ": row " << row << ", head " << head;
    }
  }
}

TEST_P(AttentionTest, BitsDoNotDependOnThePairsBeside) {
  for (const KvType type : kAllKvTypes) {
    for (const int head_size : {20, 32, 160}) {
      if (!KvTypeHolds(type, head_size)) continue;
      const TestKv kv(type, head_size, 110, 14);
      for (int heads = 1; heads <= kAttentionPairs; ++heads) {
        for (const int position : {0, 30, 59, 95}) {
          Queries q(kv, position, kAttentionPairs / heads, heads);
          Attention(q.tile);
          ExpectEachAloneTheSame(kv, q);
        }
      }
    }
  }
}

TEST_P(AttentionTest, BitsDependOnTheKeysBeforeAlone) {
  for (const KvType type : kAllKvTypes) {
    const TestKv short_kv(type, 64, 72, 14);
    Queries expected(short_kv, 68, 4, 2);
    Attention(expected.tile);
    // The same first keys in a longer cache, whose blocks lie elsewhere; and what comes later
    // is not even finite.
    TestKv long_kv(type, 64, 200, 14, 2);
    for (int p = 72; p < 200; ++p) {
      long_kv.Store(p, std::vector<float>(64, INFINITY), std::vector<float>(64, -INFINITY));
    }
    Queries longer(long_kv, 68, 4, 2);
    Attention(longer.tile);
    EXPECT_EQ(expected.out, longer.out);
    // Of a tile whose last row sees what is not finite, the other rows know nothing.
    Queries tile(long_kv, 69, 4, 2);
    std::copy(expected.query.begin() + expected.tile.row_stride, expected.query.end(),
              tile.query.begin());
    Attention(tile.tile);
    for (int row = 0; row < 3; ++row) {
      for (int head = 0; head < 2; ++head) {
        EXPECT_EQ(tile.Out(row, head), expected.Out(row + 1, head));
      }
    }
  }
}

TEST_P(AttentionTest, SpansMayBeComputedApart) {
  constexpr int kSize = 32;
  for (const KvType type : {KvType::kF16, KvType::kQ8_0}) {
    const TestKv kv(type, kSize, 2 * kAttentionSpanKeys + 40, 15, 1);
    for (const int position : {kAttentionSpanKeys - 2, kAttentionSpanKeys, 4100}) {
      Queries whole(kv, position, 4, 2);
      Attention(whole.tile);
      ExpectRight(kv, whole);
      ExpectEachAloneTheSame(kv, whole);
      Queries apart(kv, position, 4, 2);
      const size_t floats = AttentionPartialFloats(kSize);
      std::vector<float> memory(floats * apart.tile.num_spans() + 16, NAN);
      float* partials = memory.data();
      while (reinterpret_cast<uintptr_t>(partials) % 64 != 0) ++partials;
      for (int span = apart.tile.num_spans() - 1; span >= 0; --span) {
        AttendSpan(apart.tile, span, partials + span * floats);
      }
      MergeSpans(apart.tile, partials);
      EXPECT_EQ(whole.out, apart.out);
    }
  }
}

TEST(AttentionDeathTest, WhatATileCannotHoldStopsTheProgram) {
  const TestKv kv(KvType::kF16, 16, 40, 1);
  const auto attend = [&](int position, int rows, int heads) {
    Queries q(kv, position, rows, heads);
    Attention(q.tile);
  };
  EXPECT_DEATH(attend(0, 3, 3), "more pairs than a tile holds");
  EXPECT_DEATH(attend(63, 2, 1), "block_table");
  EXPECT_DEATH(attend(0, 0, 1), "rows");
}

TEST(AttentionDeathTest, StoringOutsideStopsTheProgram) {
  const TestKv kv(KvType::kF16, 16, 40, 1);
  const std::vector<float> x(16);
  EXPECT_DEATH(StoreKeyValue(kv.view(), kv.view().num_blocks, 0, x, x), "block out of range");
  EXPECT_DEATH(StoreKeyValue(kv.view(), 0, kKvBlockTokens, x, x), "slot out of range");
  KvHeadView q8 = kv.view();
  q8.type = KvType::kQ8_0;
  EXPECT_DEATH(StoreKeyValue(q8, 0, 0, x, x), "KvTypeHolds");
}

TEST(KvTypeTest, NamesAreReadBack) {
  for (const KvType type : kAllKvTypes) EXPECT_EQ(KvTypeFromName(KvTypeName(type)), type);
  EXPECT_EQ(KvTypeFromName("F16"), std::nullopt);
}

}  // namespace
}  // namespace aio
