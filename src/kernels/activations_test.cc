#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/kernels_testing.h"

namespace aio {
namespace {

class ActivationsTest : public EveryTarget {};
AIO_INSTANTIATE_FOR_EVERY_TARGET(ActivationsTest);

TEST_P(ActivationsTest, EncodeF16RoundsToNearestEvenInEveryLane) {
  Random random(6);
  std::vector<float> values = {0.0f,        -0.0f,      1.0f,    65504.0f,      65519.0f,
                               65520.0f,    1e9f,       -1e9f,   0x1p-24f,      0x1p-25f,
                               0x1p-26f,    0x1.8p-25f, 6.1e-5f, -6.097555e-5f, 1e-30f,
                               1.00048828f, 1.00146484f};
  for (int i = 0; i < 4000; ++i) {
    values.push_back(random.Next() * std::ldexp(1.0f, i % 40 - 28));
  }
  std::vector<uint16_t> out(values.size());
  EncodeF16(values, reinterpret_cast<std::byte*>(out.data()));
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(out[i], F32ToF16(values[i])) << values[i];
    uint16_t alone;
    EncodeF16(std::span(values).subspan(i, 1), reinterpret_cast<std::byte*>(&alone));
    ASSERT_EQ(out[i], alone);
  }
}

TEST_P(ActivationsTest, RmsNormAgreesWithDoublePrecision) {
  for (const size_t size : {1, 5, 16, 72, 128, 1027}) {
    Random random(7);
    const std::vector<float> x = random.Vector(size, 3.0f);
    const std::vector<float> weight = random.Vector(size);
    std::vector<float> out(size);
    RmsNorm(x, weight, 1e-5f, out);
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * v;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + 1e-5);
    for (size_t i = 0; i < size; ++i) {
      ASSERT_NEAR(out[i], x[i] * scale * weight[i], 1e-6 * std::abs(x[i] * scale) + 1e-9);
    }
    std::vector<float> in_place = x;
    RmsNorm(in_place, weight, 1e-5f, in_place);
    EXPECT_EQ(in_place, out);
  }
}

TEST_P(ActivationsTest, SwiGluAgreesWithDoublePrecisionAndLanesAgree) {
  Random random(8);
  std::vector<float> gate = random.Vector(77, 20.0f);
  gate[3] = -200.0f;
  gate[4] = 200.0f;
  gate[5] = 0.0f;
  const std::vector<float> up = random.Vector(77);
  std::vector<float> out = gate;
  SwiGluInPlace(out, up);
  for (size_t i = 0; i < gate.size(); ++i) {
    const double expected = gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * up[i];
    ASSERT_NEAR(out[i], expected, 1e-6 * std::abs(expected) + 1e-12) << gate[i];
    std::vector<float> alone = {gate[i]};
    SwiGluInPlace(alone, std::span(up).subspan(i, 1));
    ASSERT_EQ(alone[0], out[i]) << "lane " << i;
  }
}

TEST_P(ActivationsTest, AddInPlaceAdds) {
  std::vector<float> x = Random(10).Vector(37);
  const std::vector<float> before = x;
  const std::vector<float> y = Random(11).Vector(37);
  AddInPlace(x, y);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], before[i] + y[i]);
}

TEST_P(ActivationsTest, SumOfWordsIsTheSumModulo2To64) {
  for (const size_t size : {0, 1, 7, 32, 1000}) {
    std::vector<uint64_t> words(size);
    uint64_t sum = 0;
    for (size_t i = 0; i < size; ++i) sum += words[i] = i * 0x9e3779b97f4a7c15;
    EXPECT_EQ(SumOfWords(words), sum);
  }
}

}  // namespace
}  // namespace aio
