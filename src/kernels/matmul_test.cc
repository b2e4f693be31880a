// The matrix product and the decoding of rows: against plain double-precision code, and
// bit for bit against themselves under other batch sizes and thread counts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/kernels_testing.h"

namespace aio {
namespace {

constexpr WeightType kAllTypes[] = {WeightType::kF32, WeightType::kF16, WeightType::kBF16,
                                    WeightType::kQ8_0};

// A matrix in a buffer of its exact size (so that AddressSanitizer sees reads past its
// end), at an address aligned to its elements and no more.
class TestMatrix {
 public:
  TestMatrix(WeightType type, int rows, int columns, uint64_t seed) {
    matrix_ = {nullptr, type, rows, columns};
    const size_t shift = type == WeightType::kF32 ? 4 : 2;
    bytes_.resize(shift + matrix_.bytes());
    std::byte* data = bytes_.data() + shift;
    matrix_.data = data;
    Random random(seed);
    for (int r = 0; r < rows; ++r) {
      EncodeRow(random.Vector(columns), type, data + r * matrix_.row_bytes());
    }
  }
  const Matrix& view() const { return matrix_; }

  // The decoded value, by plain code.
  double At(int row, int column) const {
    const std::byte* data = matrix_.data + row * matrix_.row_bytes();
    const auto half = [&](size_t offset) {
      uint16_t bits;
      std::memcpy(&bits, data + offset, sizeof(bits));
      return bits;
    };
    switch (matrix_.type) {
      case WeightType::kF32: {
        float value;
        std::memcpy(&value, data + 4 * column, sizeof(value));
        return value;
      }
      case WeightType::kF16:
        return F16ToF32(half(2 * column));
      case WeightType::kBF16:
        return Bf16ToF32(half(2 * column));
      case WeightType::kQ8_0: {
        const size_t block = static_cast<size_t>(column / 32) * 34;
        const int8_t value = static_cast<int8_t>(data[block + 2 + column % 32]);
        return static_cast<double>(F16ToF32(half(block))) * value;
      }
    }
    return 0;
  }

 private:
  std::vector<std::byte> bytes_;
  Matrix matrix_;
};

std::vector<int> ColumnsFor(WeightType type) {
  if (type == WeightType::kQ8_0) return {32, 64, 96, 224, 1056};
  return {1, 3, 16, 31, 32, 72, 100, 129, 1027};
}

class MatMulTest : public EveryTarget {};
AIO_INSTANTIATE_FOR_EVERY_TARGET(MatMulTest);

TEST_P(MatMulTest, MatMulAgreesWithDoublePrecision) {
  ThreadPool pool(2);
  for (const WeightType type : kAllTypes) {
    for (const int columns : ColumnsFor(type)) {
      for (const int tokens : {1, 2, 3, 5, 8}) {
        const int rows = 7;
        const TestMatrix weights(type, rows, columns, 1);
        Random random(2);
        const std::vector<float> x = random.Vector(tokens * columns);
        const std::vector<float> bias = random.Vector(rows);
        std::vector<float> y(tokens * rows, -1e30f);
        MatMul(weights.view(), bias, x, y, pool);
        for (int t = 0; t < tokens; ++t) {
          for (int r = 0; r < rows; ++r) {
            double sum = bias[r];
            double magnitude = std::abs(sum);
            for (int k = 0; k < columns; ++k) {
              const double product = weights.At(r, k) * x[t * columns + k];
              sum += product;
              magnitude += std::abs(product);
            }
            ASSERT_NEAR(y[t * rows + r], sum, 1e-6 * magnitude)
                << TypeName(type) << " columns " << columns << " tokens " << tokens;
          }
        }
      }
    }
  }
}

TEST_P(MatMulTest, MatMulBitsDependOnTheRowAlone) {
  for (const WeightType type : kAllTypes) {
    for (const int columns : {ColumnsFor(type)[2], ColumnsFor(type).back()}) {
      const int rows = columns > 500 ? 131 : 37;  // several tasks, ragged tiles
      const int batch = columns > 500 ? 65 : 256;
      const TestMatrix weights(type, rows, columns, 3);
      const std::vector<float> x = Random(4).Vector(batch * columns);
      std::vector<float> all(batch * rows);
      ThreadPool two(2);
      MatMul(weights.view(), {}, x, all, two);
      ThreadPool one(1);
      for (const int tokens : {1, 2, 3, 7, batch}) {
        std::vector<float> some(tokens * rows);
        for (const int first : {0, 5}) {
          if (first + tokens > batch) continue;
          MatMul(weights.view(), {}, std::span(x).subspan(first * columns, tokens * columns), some,
                 one);
          ASSERT_EQ(std::memcmp(some.data(), all.data() + first * rows, some.size() * 4), 0)
              << TypeName(type) << " columns " << columns << " tokens " << tokens;
        }
      }
    }
  }
}

TEST_P(MatMulTest, MatMulOfSomeRowsGivesTheSameBits) {
  const TestMatrix weights(WeightType::kF16, 9, 100, 3);
  const std::vector<float> x = Random(4).Vector(4 * 100);
  ThreadPool pool(1);
  std::vector<float> all(4 * 9);
  MatMul(weights.view(), {}, x, all, pool);
  for (int r = 0; r < 9; ++r) {
    Matrix row = weights.view();
    row.data += r * row.row_bytes();
    row.rows = 1;
    std::vector<float> y(4);
    MatMul(row, {}, x, y, pool);
    for (int t = 0; t < 4; ++t) EXPECT_EQ(y[t], all[t * 9 + r]);
  }
}

TEST_P(MatMulTest, DecodeRowIsExact) {
  for (const WeightType type : kAllTypes) {
    for (const int columns : ColumnsFor(type)) {
      const TestMatrix weights(type, 3, columns, 5);
      std::vector<float> out(columns);
      DecodeRow(weights.view(), 2, out);
      for (int k = 0; k < columns; ++k) ASSERT_EQ(out[k], weights.At(2, k)) << TypeName(type);
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
