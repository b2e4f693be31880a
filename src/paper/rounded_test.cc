#include "paper/rounded.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TEST(RoundedTest, PrintedNumbersAreKnownToHalfAUnit) {
  const Rounded figure = Rounded::Printed(21.58, 2);
  EXPECT_DOUBLE_EQ(figure.low, 21.575);
  EXPECT_DOUBLE_EQ(figure.high, 21.585);
  EXPECT_DOUBLE_EQ(Rounded::Printed(14, 0).slack(), 0.5);
}

TEST(RoundedTest, WhatIsDividedByStaysAboveZero) {
  EXPECT_GT(Rounded::Printed(0.001, 2).low, 0);
  EXPECT_LT(Rounded::Printed(0, 2).low, 0);
}

TEST(RoundedTest, MeansCarryTheirPartsRounding) {
  const std::vector<Weighted> parts = {{0.5, Rounded::Printed(10, 1)},
                                       {0.5, Rounded::Printed(30, 1)}};
  const Rounded arithmetic = ArithmeticMean(parts);
  EXPECT_DOUBLE_EQ(arithmetic.value, 20);
  EXPECT_NEAR(arithmetic.slack(), 0.05, 1e-12);
  const Rounded harmonic = HarmonicMean(parts);
  EXPECT_DOUBLE_EQ(harmonic.value, 15);  // 2 / (1/10 + 1/30)
  EXPECT_NEAR(harmonic.low, 2 / (1 / 9.95 + 1 / 29.95), 1e-12);
  EXPECT_NEAR(harmonic.high, 2 / (1 / 10.05 + 1 / 30.05), 1e-12);
}

TEST(RoundedTest, DifferencesAndNegativeFactorsKeepTheEndsInOrder) {
  const Rounded difference = Rounded::Printed(5, 0) - Rounded::Printed(3, 0);
  EXPECT_DOUBLE_EQ(difference.low, 1);
  EXPECT_DOUBLE_EQ(difference.high, 3);
  const Rounded negative = difference * -1;
  EXPECT_DOUBLE_EQ(negative.low, -3);
  EXPECT_DOUBLE_EQ(negative.high, -1);
}

TEST(RoundedTest, EndsThatTouchCanBeEqual) {
  EXPECT_TRUE(CanBeEqual(Rounded::Printed(1.1, 1), Rounded::Printed(1.2, 1)));
  EXPECT_FALSE(CanBeEqual(Rounded::Printed(1.1, 1), Rounded::Printed(1.21, 2)));
}

}  // namespace
}  // namespace aio
