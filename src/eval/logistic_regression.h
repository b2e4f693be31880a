// Multinomial logistic regression with L2 regularisation.
#ifndef AIO_EVAL_LOGISTIC_REGRESSION_H_
#define AIO_EVAL_LOGISTIC_REGRESSION_H_

#include <span>
#include <vector>

#include "base/status.h"

namespace aio {

// What is to be told apart: vectors of one size, each of one class.
class ClassifiedVectors {
 public:
  ClassifiedVectors(int size, int num_classes) : size_(size), num_classes_(num_classes) {}

  // `x` [size]; `weight` > 0: how much it counts; `group` in 0..num_classes - 1.
  void Add(std::span<const float> x, int group, double weight);

  int size() const { return size_; }
  int num_classes() const { return num_classes_; }
  int count() const { return static_cast<int>(classes_.size()); }
  const std::vector<float>& values() const { return values_; }  // [count, size]
  const std::vector<int>& classes() const { return classes_; }
  const std::vector<double>& weights() const { return weights_; }

 private:
  int size_;
  int num_classes_;
  std::vector<float> values_;
  std::vector<int> classes_;
  std::vector<double> weights_;
};

// Scores W . x + b, natural-log scale: the softmax of them is the class probabilities.
struct LinearClassifier {
  int size = 0;
  std::vector<double> weights;  // [classes, size]
  std::vector<double> bias;     // [classes]; sum to 0
};

struct LogisticRegressionOptions {
  double l2 = 1e-3;  // > 0; on weights of features scaled to unit variance
  int iterations_max = 100;
  double tolerance = 1e-5;  // the largest part of the gradient at which it is done
};

// Minimises the mean of -log p(class | x), every class counted alike however many vectors it has,
// plus l2 / 2 times the sum of squared weights (not biases). That is convex: Newton's method, each
// step found by conjugate gradients (Nocedal and Wright 2006, "Numerical Optimization", chapter
// 7.1) and halved until it helps. The same input gives the same bits.
//
// kInvalidArgument when a class has no vector or a value is not finite.
Result<LinearClassifier> FitLogisticRegression(const ClassifiedVectors& data,
                                               const LogisticRegressionOptions& options);

}  // namespace aio

#endif  // AIO_EVAL_LOGISTIC_REGRESSION_H_
