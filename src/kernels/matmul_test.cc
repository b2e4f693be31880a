// The matrix product and the decoding of rows: against plain double-precision code, and
// bit for bit against themselves under other batch sizes and thread counts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/half.h"
#include "kernels/kernels_testing.h"
#include "kernels/matmul.h"

namespace aio {
namespace {

// A random matrix in a buffer of its exact size (so that AddressSanitizer sees reads past
// its end), at an address aligned to its elements and no more; and packed.
class TestMatrix {
 public:
  TestMatrix(WeightType type, int rows, int columns, uint64_t seed) {
    stored_ = {nullptr, type, rows, columns};
    std::byte* data = Allocate();
    Random random(seed);
    for (int r = 0; r < rows; ++r) {
      EncodeRow(random.Vector(columns), type, data + r * stored_.row_bytes());
    }
    Pack();
  }
  explicit TestMatrix(const Matrix& copied) : stored_(copied) {
    std::memcpy(Allocate(), copied.data, copied.bytes());
    Pack();
  }
  const Matrix& stored() const { return stored_; }
  const PackedMatrix& packed() const { return packed_; }

  std::vector<float> Row(int row) const {
    std::vector<float> values(stored_.columns);
    DecodeRow(stored_, row, values);
    return values;
  }

 private:
  std::byte* Allocate() {
    const size_t shift = stored_.type == WeightType::kF32 ? 4 : 2;
    bytes_.resize(shift + stored_.bytes());
    stored_.data = bytes_.data() + shift;
    return bytes_.data() + shift;
  }
  void Pack() {
    packed_ = PackedShape(stored_);
    packed_bytes_.resize(packed_.bytes());
    for (int tile = 0; tile < packed_.num_tiles(); ++tile) {
      PackTile(stored_, tile, packed_bytes_.data() + tile * packed_.tile_bytes());
    }
    packed_.data = packed_bytes_.data();
  }

  std::vector<std::byte> bytes_;
  Matrix stored_;
  AlignedVector<std::byte> packed_bytes_;
  PackedMatrix packed_;
};

void Multiply(const TestMatrix& weights, std::span<const float> bias, std::span<const float> x,
              std::span<float> y, ThreadPool& pool) {
  const size_t columns = weights.stored().columns;
  MatMulScratch scratch(x.size() / columns, columns);
  const Product product{weights.packed(), bias, y};
  MatMul({&product, 1}, x, scratch, pool);
}

std::vector<int> ColumnsFor(WeightType type) {
  const int block = BlockOf(type).values;
  if (block == 1) return {1, 3, 16, 31, 32, 72, 100, 256, 257, 1027};
  return {block, 3 * block, 11 * block};
}

class MatMulTest : public EveryTarget {};
AIO_INSTANTIATE_FOR_EVERY_TARGET(MatMulTest);

TEST_P(MatMulTest, AgreesWithDoublePrecision) {
  ThreadPool pool(2);
  for (const WeightType type : kAllWeightTypes) {
    // Quantised weights meet activations of 16 bits.
    const double tolerance = IsQuantized(type) ? 3e-5 : 1e-6;
    for (const int columns : ColumnsFor(type)) {
      for (const int rows : {1, 7, 16, 35, 64}) {
        const TestMatrix weights(type, rows, columns, 1);
        for (const int tokens : {1, 2, 5, 8, 13, 25}) {
          Random random(2);
          const std::vector<float> x = random.Vector(tokens * columns);
          const std::vector<float> bias = random.Vector(rows);
          std::vector<float> y(tokens * rows, -1e30f);
          Multiply(weights, bias, x, y, pool);
          for (int r = 0; r < rows; ++r) {
            const std::vector<float> row = weights.Row(r);
            for (int t = 0; t < tokens; ++t) {
              double sum = bias[r];
              double magnitude = std::abs(sum);
              for (int k = 0; k < columns; ++k) {
                const double product = double{row[k]} * x[t * columns + k];
                sum += product;
                magnitude += std::abs(product);
              }
              ASSERT_NEAR(y[t * rows + r], sum, tolerance * magnitude)
                  << WeightTypeName(type) << " columns " << columns << " tokens " << tokens
                  << " row " << r;
            }
          }
        }
      }
    }
  }
}

TEST_P(MatMulTest, BitsDependOnTheRowAndTokenAlone) {
  for (const WeightType type : kAllWeightTypes) {
    for (const int columns : {ColumnsFor(type)[1], ColumnsFor(type).back()}) {
      const int rows = 131;  // several tasks, a ragged tile
      const int batch = 65;
      const TestMatrix weights(type, rows, columns, 3);
      const std::vector<float> x = Random(4).Vector(batch * columns);
      std::vector<float> all(batch * rows);
      ThreadPool two(2);
      Multiply(weights, {}, x, all, two);
      ThreadPool one(1);
      for (const int tokens : {1, 2, 3, 7, 8, 12, 13, batch}) {
        std::vector<float> some(tokens * rows);
        for (const int first : {0, 5}) {
          if (first + tokens > batch) continue;
          Multiply(weights, {}, std::span(x).subspan(first * columns, tokens * columns), some, one);
          ASSERT_EQ(std::memcmp(some.data(), all.data() + first * rows, some.size() * 4), 0)
              << WeightTypeName(type) << " columns " << columns << " tokens " << tokens;
        }
      }
    }
  }
}

TEST_P(MatMulTest, ProductsOfOneCallDoNotTouchEachOther) {
  constexpr int kColumns = 256;
  constexpr int kTokens = 3;
  const TestMatrix half(WeightType::kF16, 70, kColumns, 1);
  const TestMatrix eight(WeightType::kQ8_0, 33, kColumns, 2);
  const TestMatrix six(WeightType::kQ6_K, 48, kColumns, 3);
  const std::vector<float> x = Random(4).Vector(kTokens * kColumns);
  const std::vector<float> bias = Random(5).Vector(33);
  std::vector<float> y_half(kTokens * 70), y_eight(kTokens * 33), y_six(kTokens * 48);
  ThreadPool pool(2);
  MatMulScratch scratch(kTokens, kColumns);
  const Product products[] = {
      {half.packed(), {}, y_half}, {eight.packed(), bias, y_eight}, {six.packed(), {}, y_six}};
  MatMul(products, x, scratch, pool);
  std::vector<float> alone(kTokens * 70);
  Multiply(half, {}, x, alone, pool);
  EXPECT_EQ(alone, y_half);
  alone.resize(kTokens * 33);
  Multiply(eight, bias, x, alone, pool);
  EXPECT_EQ(alone, y_eight);
  alone.resize(kTokens * 48);
  Multiply(six, {}, x, alone, pool);
  EXPECT_EQ(alone, y_six);
}

// The integer products of all instruction sets are exact, so they may differ only in how
// the scaled sums are rounded.
TEST_P(MatMulTest, QuantisedProductsAgreeWithScalar) {
  for (const WeightType type : kAllWeightTypes) {
    if (!IsQuantized(type)) continue;
    const int columns = ColumnsFor(type).back();
    const TestMatrix weights(type, 40, columns, 7);
    const std::vector<float> x = Random(8).Vector(4 * columns);
    ThreadPool pool(1);
    std::vector<float> y(4 * 40), scalar(4 * 40);
    Multiply(weights, {}, x, y, pool);
    ASSERT_TRUE(SelectTarget("scalar").ok());
    Multiply(weights, {}, x, scalar, pool);
    ASSERT_TRUE(SelectTarget(GetParam()).ok());
    for (size_t i = 0; i < y.size(); ++i) {
      ASSERT_NEAR(y[i], scalar[i], 1e-5 * (1 + std::abs(scalar[i]))) << WeightTypeName(type);
    }
  }
}

// The largest integers that codes, scales and activations can make: none may overflow.
TEST_P(MatMulTest, ExtremeCodesAndScalesDoNotOverflow) {
  ThreadPool pool(1);
  for (const WeightType type : kAllWeightTypes) {
    if (!IsQuantized(type)) continue;
    const WeightBlock block = BlockOf(type);
    const bool q6 = type == WeightType::kQ6_K;
    for (const uint8_t codes : {0x00, 0xff}) {
      for (const uint8_t scales : {0x7f, 0x80, 0xff}) {
        std::vector<std::byte> row(block.bytes, std::byte{codes});
        if (block.values > 32) {
          std::fill_n(row.begin() + (q6 ? 192 : 4), q6 ? 16 : 12, std::byte{scales});
        }
        const uint16_t half = F32ToF16(0x1p-10f);
        std::memcpy(row.data() + (q6 ? 208 : 0), &half, sizeof(half));
        if (block.values > 32 && !q6) std::memcpy(row.data() + 2, &half, sizeof(half));
        const TestMatrix weights({row.data(), type, 1, block.values});
        const std::vector<float> decoded = weights.Row(0);
        for (const float x : {1.0f, -1.0f}) {
          const double sum = x * std::accumulate(decoded.begin(), decoded.end(), 0.0);
          std::vector<float> y(1);
          Multiply(weights, {}, std::vector<float>(block.values, x), y, pool);
          ASSERT_NEAR(y[0], sum, 1e-5 * std::abs(sum)) << WeightTypeName(type);
        }
      }
    }
  }
}

TEST_P(MatMulTest, ActivationsOfAnySizeAreRoundedToSixteenBits) {
  const TestMatrix weights(WeightType::kQ8_0, 16, 64, 7);
  ThreadPool pool(1);
  for (const float size : {0.0f, 1e-37f, 1e-20f, 1.0f, 1e20f}) {
    const std::vector<float> x = Random(8).Vector(64, size);
    std::vector<float> y(16);
    Multiply(weights, {}, x, y, pool);
    for (int r = 0; r < 16; ++r) {
      const std::vector<float> row = weights.Row(r);
      double sum = 0;
      for (int k = 0; k < 64; ++k) sum += double{row[k]} * x[k];
      ASSERT_NEAR(y[r], sum, size > 1e-30f ? 64 * 3e-5 * size : 1e-34) << size;
    }
  }
}

TEST_P(MatMulTest, EveryFiniteHalfDecodesExactly) {
  std::vector<uint16_t> halves;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7c00) != 0x7c00) halves.push_back(static_cast<uint16_t>(bits));
  }
  const Matrix row{reinterpret_cast<const std::byte*>(halves.data()), WeightType::kF16, 1,
                   static_cast<int>(halves.size())};
  std::vector<float> out(halves.size());
  DecodeRow(row, 0, out);
  for (size_t i = 0; i < halves.size(); ++i) ASSERT_EQ(out[i], F16ToF32(halves[i])) << halves[i];
}

}  // namespace
}  // namespace aio
