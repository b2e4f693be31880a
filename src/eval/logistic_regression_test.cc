#include "eval/logistic_regression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace aio {
namespace {

std::vector<double> Probabilities(const LinearClassifier& classifier, std::span<const float> x) {
  std::vector<double> p;
  double sum = 0;
  for (size_t k = 0; k < classifier.bias.size(); ++k) {
    double score = classifier.bias[k];
    for (int i = 0; i < classifier.size; ++i) {
      score += classifier.weights[k * classifier.size + i] * x[i];
    }
    p.push_back(std::exp(score));
    sum += p.back();
  }
  for (double& value : p) value /= sum;
  return p;
}

// Three clouds in the plane, the second with a feature of quite another scale.
ClassifiedVectors Clouds(int per_class, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0, 1);
  ClassifiedVectors data(3, 3);
  for (int i = 0; i < 3 * per_class; ++i) {
    const int group = i % 3;
    const float angle = static_cast<float>(group) * 2.0944f;
    const float x[] = {3 * std::cos(angle) + noise(random),
                       1000 * (3 * std::sin(angle) + noise(random)), noise(random)};
    data.Add(x, group, 1);
  }
  return data;
}

TEST(LogisticRegressionTest, LearnsWhatCanBeLearnt) {
  const LinearClassifier classifier = FitLogisticRegression(Clouds(200, 1), {}).value();
  const ClassifiedVectors unseen = Clouds(200, 2);
  int right = 0;
  for (int i = 0; i < unseen.count(); ++i) {
    const auto p = Probabilities(classifier, std::span(unseen.values()).subspan(3 * i, 3));
    right += std::max_element(p.begin(), p.end()) - p.begin() == unseen.classes()[i];
  }
  EXPECT_GT(right, 580);  // of 600
}

// Without regularisation to speak of, the probabilities of two overlapping groups are their shares.
TEST(LogisticRegressionTest, ProbabilitiesAreShares) {
  ClassifiedVectors data(1, 2);
  const float left[] = {-1};
  const float right[] = {1};
  for (int i = 0; i < 8; ++i) data.Add(left, i < 6 ? 0 : 1, 1);   // 6 of 8
  for (int i = 0; i < 8; ++i) data.Add(right, i < 2 ? 0 : 1, 1);  // 2 of 8
  const LinearClassifier classifier = FitLogisticRegression(data, {.l2 = 1e-9}).value();
  EXPECT_NEAR(Probabilities(classifier, left)[0], 0.75, 1e-4);
  EXPECT_NEAR(Probabilities(classifier, right)[0], 0.25, 1e-4);
}

TEST(LogisticRegressionTest, ClassesCountAlikeHoweverManyVectorsTheyHave) {
  ClassifiedVectors data(1, 2);
  const float x[] = {0};
  for (int i = 0; i < 90; ++i) data.Add(x, 0, 1);
  for (int i = 0; i < 10; ++i) data.Add(x, 1, 1);
  const LinearClassifier classifier = FitLogisticRegression(data, {}).value();
  EXPECT_NEAR(Probabilities(classifier, x)[0], 0.5, 1e-6);
}

TEST(LogisticRegressionTest, WeightsCountAsCopies) {
  ClassifiedVectors copies(1, 2);
  ClassifiedVectors weighted(1, 2);
  const float a[] = {0.5f};
  const float b[] = {-1.5f};
  for (int i = 0; i < 3; ++i) copies.Add(a, 0, 1);
  copies.Add(b, 0, 1);
  copies.Add(b, 1, 1);
  weighted.Add(a, 0, 3);
  weighted.Add(b, 0, 1);
  weighted.Add(b, 1, 1);
  const auto one = FitLogisticRegression(copies, {.l2 = 0.01}).value();
  const auto other = FitLogisticRegression(weighted, {.l2 = 0.01}).value();
  EXPECT_NEAR(Probabilities(one, a)[0], Probabilities(other, a)[0], 1e-6);
  EXPECT_NEAR(Probabilities(one, b)[0], Probabilities(other, b)[0], 1e-6);
}

// Where a hyperplane divides the classes, only regularisation keeps the weights finite.
TEST(LogisticRegressionTest, RegularisationShrinksWeights) {
  ClassifiedVectors data(2, 2);
  const float x[] = {1, 7};  // the second feature does not vary
  const float y[] = {-1, 7};
  data.Add(x, 0, 1);
  data.Add(y, 1, 1);
  double last = 1;
  for (const double l2 : {1e-4, 1e-2, 1.0}) {
    const LinearClassifier classifier = FitLogisticRegression(data, {.l2 = l2}).value();
    const double p = Probabilities(classifier, x)[0];
    EXPECT_GT(p, 0.5);
    EXPECT_LT(p, last);
    EXPECT_EQ(classifier.weights[1], 0);
    last = p;
  }
}

TEST(LogisticRegressionTest, TheSameBitsEveryTime) {
  const auto one = FitLogisticRegression(Clouds(50, 3), {}).value();
  const auto other = FitLogisticRegression(Clouds(50, 3), {}).value();
  EXPECT_EQ(one.weights, other.weights);
  EXPECT_EQ(one.bias, other.bias);
}

TEST(LogisticRegressionTest, RefusesWhatCannotBeLearntFrom) {
  ClassifiedVectors data(1, 2);
  const float x[] = {1};
  data.Add(x, 0, 1);
  EXPECT_EQ(FitLogisticRegression(data, {}).status().message(), "nothing of class 1 to learn from");
  const float nan[] = {std::numeric_limits<float>::quiet_NaN()};
  data.Add(nan, 1, 1);
  EXPECT_EQ(FitLogisticRegression(data, {}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aio
