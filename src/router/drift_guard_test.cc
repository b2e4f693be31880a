#include "router/drift_guard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace aio {
namespace {

IntentDistribution Intent(const std::string& top, double entropy) {
  IntentDistribution intent{
      .labels = {"code", "qa", "math"}, .probabilities = {0.1, 0.1, 0.1}, .entropy = entropy};
  for (size_t i = 0; i < intent.labels.size(); ++i) {
    if (intent.labels[i] == top) intent.probabilities[i] = 0.8;
  }
  return intent;
}

DriftSettings Labels(int window, double confidence) {
  DriftSettings settings;
  settings.label_shares = {{"code", 0.5}, {"math", 0.25}, {"qa", 0.25}};
  settings.window = window;
  settings.confidence = confidence;
  return settings;
}

void Observe(DriftGuard& guard, int code, int math, int qa, double entropy = 0.1) {
  for (int i = 0; i < code; ++i) guard.Observe(Intent("code", entropy));
  for (int i = 0; i < math; ++i) guard.Observe(Intent("math", entropy));
  for (int i = 0; i < qa; ++i) guard.Observe(Intent("qa", entropy));
}

TEST(DriftGuard, SaysNothingBeforeAWindowIsFull) {
  DriftGuard guard(Labels(100, 0.99));
  Observe(guard, 0, 99, 0);
  EXPECT_FALSE(guard.signals().drifted);
  EXPECT_EQ(guard.report().windows, 0);
  Observe(guard, 0, 1, 0);
  EXPECT_TRUE(guard.signals().drifted);
}

// Counts 60, 25, 15 of 100 against 50, 25, 25: chi-square 2 + 0 + 4, two degrees of freedom:
// exp(-3).
TEST(DriftGuard, TheChiSquareTestIsTheTextbooks) {
  DriftGuard guard(Labels(100, 0.96));
  Observe(guard, 60, 25, 15);
  const DriftReport report = guard.report();
  EXPECT_NEAR(report.chi_square, 6, 1e-12);
  EXPECT_NEAR(report.labels_p_value, std::exp(-3.0), 1e-12);
  EXPECT_FALSE(report.signals.drifted);  // 0.0498 >= 0.04
  DriftGuard doubting(Labels(100, 0.94));
  Observe(doubting, 60, 25, 15);
  EXPECT_TRUE(doubting.signals().drifted);
  EXPECT_EQ(doubting.signals().what, "code 60 %, was 50 %");
}

TEST(DriftGuard, TheEntropysMeanIsHeldAgainstItsOwnSpread) {
  DriftSettings settings;
  settings.entropy_mean = 0.1;
  settings.entropy_sd = 0.2;
  settings.window = 100;
  settings.confidence = 0.95;
  DriftGuard guard(settings);
  Observe(guard, 100, 0, 0, 0.139);  // 1.95 standard errors
  EXPECT_FALSE(guard.signals().drifted);
  EXPECT_NEAR(guard.report().entropy_p_value, 0.0512, 1e-4);
  Observe(guard, 100, 0, 0, 0.1394);  // 1.97
  EXPECT_TRUE(guard.signals().drifted);
  EXPECT_EQ(guard.signals().what, "entropy 0.14, was 0.10");
}

TEST(DriftGuard, EndsWithTheNextWindowThatIsAsItWas) {
  std::vector<bool> changes;
  DriftGuard guard(Labels(100, 0.99),
                   [&](const DriftSignals& signals) { changes.push_back(signals.drifted); });
  Observe(guard, 100, 0, 0);
  Observe(guard, 100, 0, 0);
  Observe(guard, 50, 25, 25);
  Observe(guard, 50, 25, 25);
  EXPECT_EQ(changes, (std::vector<bool>{true, false}));
  EXPECT_FALSE(guard.signals().drifted);
  EXPECT_EQ(guard.report().windows, 4);
  EXPECT_EQ(guard.report().drifted_windows, 2);
}

TEST(DriftGuard, LabelsThatNeverWereAreDrift) {
  DriftSettings settings = Labels(30, 0.999);
  settings.label_shares = {{"code", 1.0}, {"qa", 0.0}};
  DriftGuard guard(settings);
  Observe(guard, 30, 0, 0);
  EXPECT_FALSE(guard.signals().drifted);
  Observe(guard, 29, 0, 1);
  EXPECT_TRUE(guard.signals().drifted);
  Observe(guard, 29, 1, 0);  // not even named
  EXPECT_TRUE(guard.signals().drifted);
}

// Without drift: false alarms in about one window of twenty, not more.
TEST(DriftGuard, RaisesAsManyFalseAlarmsAsItSays) {
  DriftSettings settings = Labels(200, 0.95);
  settings.entropy_mean = 0.2;
  settings.entropy_sd = 0.1;
  DriftGuard guard(settings);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform;
  std::normal_distribution<double> entropy(0.2, 0.1);
  constexpr int kWindows = 1000;
  for (int i = 0; i < kWindows * 200; ++i) {
    const double u = uniform(random);
    guard.Observe(Intent(u < 0.5 ? "code" : u < 0.75 ? "math" : "qa", entropy(random)));
  }
  EXPECT_EQ(guard.report().windows, kWindows);
  EXPECT_NEAR(static_cast<double>(guard.report().drifted_windows), 50, 25);
}

}  // namespace
}  // namespace aio
