#include "eval/logistic_regression.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aio {

namespace {

// Rows are vectors: products with few columns stream over them once.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

double Dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

// Mean and spread of every feature, so that one l2 suits all.
struct Scaling {
  Vector mean;
  Vector scale;  // 1 / standard deviation; 0 for a feature that does not vary
};

class Problem {
 public:
  Problem(const ClassifiedVectors& data, double l2) : l2_(l2) {
    const int n = data.count();
    const int d = data.size();
    const int k = data.num_classes();
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>
        values(data.values().data(), n, d);
    row_weights_ = RowWeights(data);
    scaling_.mean = values.cast<double>().transpose() * row_weights_;
    x_ = Matrix::Ones(n, d + 1);  // the last column is the bias's
    x_.leftCols(d) = values.cast<double>().rowwise() - scaling_.mean.transpose();
    const Vector variance = x_.leftCols(d).cwiseAbs2().transpose() * row_weights_;
    constexpr double kVarianceMin = 1e-20;
    scaling_.scale =
        variance.unaryExpr([](double v) { return v > kVarianceMin ? 1 / std::sqrt(v) : 0.0; });
    for (int column = 0; column < d; ++column) x_.col(column) *= scaling_.scale[column];
    truth_ = Matrix::Zero(n, k);
    for (int i = 0; i < n; ++i) truth_(i, data.classes()[i]) = 1;
  }

  int num_parameters() const { return static_cast<int>(x_.cols()); }
  int num_classes() const { return static_cast<int>(truth_.cols()); }
  const Scaling& scaling() const { return scaling_; }

  // The loss at `theta` [features + 1, classes]; with it, what Gradient() and Curvature() use.
  double Evaluate(const Matrix& theta) {
    probabilities_ = x_ * theta;
    double loss = 0;
    for (Eigen::Index i = 0; i < probabilities_.rows(); ++i) {
      auto row = probabilities_.row(i);
      const double max = row.maxCoeff();
      row.array() -= max;
      const double log_sum = std::log(row.array().exp().sum());
      loss -= row_weights_[i] * (row.dot(truth_.row(i)) - log_sum);
      row = (row.array() - log_sum).exp();
    }
    return loss + 0.5 * l2_ * theta.topRows(theta.rows() - 1).squaredNorm();
  }
  Matrix Gradient(const Matrix& theta) const {
    const Matrix residual = (probabilities_ - truth_).array().colwise() * row_weights_.array();
    return Regularized(x_.transpose() * residual, theta);
  }
  // The Hessian times `direction`.
  Matrix Curvature(const Matrix& direction) const {
    Matrix change = x_ * direction;
    const Vector mean = change.cwiseProduct(probabilities_).rowwise().sum();
    change = probabilities_.array() * (change.colwise() - mean).array();
    change.array().colwise() *= row_weights_.array();
    return Regularized(x_.transpose() * change, direction);
  }

 private:
  // Sum to 1, and each class's to the same.
  static Vector RowWeights(const ClassifiedVectors& data) {
    std::vector<double> of_class(data.num_classes());
    for (int i = 0; i < data.count(); ++i) of_class[data.classes()[i]] += data.weights()[i];
    Vector weights(data.count());
    for (int i = 0; i < data.count(); ++i) {
      weights[i] = data.weights()[i] / of_class[data.classes()[i]] / data.num_classes();
    }
    return weights;
  }
  Matrix Regularized(Matrix gradient, const Matrix& theta) const {
    gradient.topRows(gradient.rows() - 1) += l2_ * theta.topRows(theta.rows() - 1);
    return gradient;
  }

  const double l2_;
  Scaling scaling_;
  Matrix x_;              // [vectors, features + 1], scaled
  Matrix truth_;          // [vectors, classes]: 1 for the vector's class
  Vector row_weights_;    // [vectors]
  Matrix probabilities_;  // [vectors, classes], at what was evaluated last
};

// Solves Hessian * step = -gradient, roughly while far from the minimum.
Matrix NewtonStep(const Problem& problem, const Matrix& gradient) {
  constexpr int kIterationsMax = 200;
  const double norm = std::sqrt(Dot(gradient, gradient));
  const double wanted = std::min(0.1, std::sqrt(norm)) * norm;
  Matrix step = Matrix::Zero(gradient.rows(), gradient.cols());
  Matrix residual = -gradient;
  Matrix direction = residual;
  double squares = Dot(residual, residual);
  for (int i = 0; i < kIterationsMax && std::sqrt(squares) > wanted; ++i) {
    const Matrix curved = problem.Curvature(direction);
    const double curvature = Dot(direction, curved);
    if (!(curvature > 0)) break;
    const double length = squares / curvature;
    step += length * direction;
    residual -= length * curved;
    const double next = Dot(residual, residual);
    direction = residual + next / squares * direction;
    squares = next;
  }
  return step;
}

// Moves `theta` along the step as far as helps. False when nothing does.
bool Advance(Problem& problem, const Matrix& gradient, double& loss, Matrix& theta) {
  constexpr double kEnough = 1e-4;  // of the decrease that the slope promises (Armijo)
  constexpr int kHalvingsMax = 30;
  const Matrix step = NewtonStep(problem, gradient);
  const double slope = Dot(gradient, step);
  double length = 1;
  for (int i = 0; i < kHalvingsMax; ++i, length /= 2) {
    const Matrix candidate = theta + length * step;
    const double candidate_loss = problem.Evaluate(candidate);
    if (!(candidate_loss <= loss + kEnough * length * slope)) continue;
    theta = candidate;
    loss = candidate_loss;
    return true;
  }
  problem.Evaluate(theta);
  return false;
}

// In terms of the vectors as they were given.
LinearClassifier Unscale(const Problem& problem, const Matrix& theta) {
  const int size = problem.num_parameters() - 1;
  const Scaling& scaling = problem.scaling();
  LinearClassifier classifier;
  classifier.size = size;
  double mean_bias = 0;
  for (int k = 0; k < problem.num_classes(); ++k) {
    double bias = theta(size, k);
    for (int i = 0; i < size; ++i) {
      const double weight = theta(i, k) * scaling.scale[i];
      classifier.weights.push_back(weight);
      bias -= weight * scaling.mean[i];
    }
    classifier.bias.push_back(bias);
    mean_bias += bias / problem.num_classes();
  }
  for (double& bias : classifier.bias) bias -= mean_bias;
  return classifier;
}

Status CheckData(const ClassifiedVectors& data) {
  for (int k = 0; k < data.num_classes(); ++k) {
    if (std::find(data.classes().begin(), data.classes().end(), k) != data.classes().end()) {
      continue;
    }
    return InvalidArgument(fmt::format("nothing of class {} to learn from", k));
  }
  const bool finite = std::all_of(data.values().begin(), data.values().end(),
                                  [](float v) { return std::isfinite(v); });
  return finite ? Status::Ok() : InvalidArgument("a value to learn from is not a finite number");
}

}  // namespace

void ClassifiedVectors::Add(std::span<const float> x, int group, double weight) {
  AIO_CHECK(static_cast<int>(x.size()) == size_ && group >= 0 && group < num_classes_ &&
            weight > 0);
  values_.insert(values_.end(), x.begin(), x.end());
  classes_.push_back(group);
  weights_.push_back(weight);
}

Result<LinearClassifier> FitLogisticRegression(const ClassifiedVectors& data,
                                               const LogisticRegressionOptions& options) {
  AIO_CHECK(options.l2 > 0 && data.num_classes() >= 2 && data.size() >= 1);
  AIO_RETURN_IF_ERROR(CheckData(data));
  Problem problem(data, options.l2);
  Matrix theta = Matrix::Zero(problem.num_parameters(), problem.num_classes());
  double loss = problem.Evaluate(theta);
  for (int i = 0; i < options.iterations_max; ++i) {
    const Matrix gradient = problem.Gradient(theta);
    if (gradient.cwiseAbs().maxCoeff() <= options.tolerance) break;
    if (!Advance(problem, gradient, loss, theta)) break;  // as good as doubles tell
  }
  return Unscale(problem, theta);
}

}  // namespace aio
