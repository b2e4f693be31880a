#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/kernels.h"

namespace aio {
namespace {

TEST(RopeTest, RotatesPairsOfBothKinds) {
  const std::vector<double> frequencies = {1.0, 0.25};
  std::vector<float> cos(2), sin(2);
  RopeAngles(3, frequencies, cos, sin);
  EXPECT_FLOAT_EQ(cos[0], std::cos(3.0f));
  EXPECT_FLOAT_EQ(sin[1], std::sin(0.75f));
  // Two heads of 5 dimensions, of which 4 are rotated.
  const std::vector<float> heads = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const auto expect_rotated = [&](const std::vector<float>& out, int first, int second, int pair) {
    EXPECT_FLOAT_EQ(out[first], heads[first] * cos[pair] - heads[second] * sin[pair]);
    EXPECT_FLOAT_EQ(out[second], heads[first] * sin[pair] + heads[second] * cos[pair]);
  };
  std::vector<float> interleaved = heads;
  RopeInPlace(interleaved, 5, RopePairing::kInterleaved, cos, sin);
  expect_rotated(interleaved, 0, 1, 0);
  expect_rotated(interleaved, 7, 8, 1);
  EXPECT_EQ(interleaved[4], 5.0f);
  std::vector<float> halves = heads;
  RopeInPlace(halves, 5, RopePairing::kHalves, cos, sin);
  expect_rotated(halves, 0, 2, 0);
  expect_rotated(halves, 6, 8, 1);
  EXPECT_EQ(halves[9], 10.0f);
}

TEST(RopeTest, AnglesStayAccurateFarOut) {
  const std::vector<double> frequencies = {1.0};
  float cos, sin;
  RopeAngles(1'000'000, frequencies, {&cos, 1}, {&sin, 1});
  EXPECT_FLOAT_EQ(cos, static_cast<float>(std::cos(1e6)));
  EXPECT_FLOAT_EQ(sin, static_cast<float>(std::sin(1e6)));
}

}  // namespace
}  // namespace aio
