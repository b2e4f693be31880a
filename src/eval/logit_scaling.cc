#include "eval/logit_scaling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace aio {

namespace {

constexpr double kScaleMin = 1e-3;  // temperatures up to 1000
constexpr double kScaleMax = 1e3;
constexpr int kStepsMax = 100;
// Keeps the offsets, which are free up to a constant, where they are; too weak to be seen.
constexpr double kRidge = 1e-9;

std::vector<double> LogSoftmax(const std::vector<double>& z) {
  const double max = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double x : z) sum += std::exp(x - max);
  std::vector<double> out;
  out.reserve(z.size());
  for (const double x : z) out.push_back(x - max - std::log(sum));
  return out;
}

void Centre(std::vector<double>& values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
}

// Solves the symmetric positive definite `a` x = `b` by Cholesky; [n][n] and [n].
std::vector<double> Solve(std::vector<std::vector<double>> a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t j = 0; j < n; ++j) {
    for (size_t k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    a[j][j] = std::sqrt(std::max(a[j][j], 1e-300));
    for (size_t i = j + 1; i < n; ++i) {
      for (size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

// Minimises the likelihood of softmax(scale * z + offset) in (scale, offset), which is convex,
// by Newton steps; the offsets only if they are free.
class ScalingFitter {
 public:
  ScalingFitter(const std::vector<LabelledLogits>& queries, const std::vector<double>& bias,
                bool free_offsets)
      : labels_(bias.size()), free_(free_offsets), x_(1 + (free_offsets ? bias.size() : 0), 0.0) {
    x_[0] = 1;
    double total = 0;
    for (const LabelledLogits& query : queries) total += query.weight;
    const double wrong = UnseenErrorShare(queries.size());
    for (const LabelledLogits& query : queries) {
      Row row{.z = {query.logits.begin(), query.logits.end()},
              .targets = {},
              .weight = query.weight / total};
      for (size_t j = 0; j < labels_; ++j) row.z[j] -= bias[j];
      Centre(row.z);
      row.targets.assign(labels_, wrong / static_cast<double>(labels_ - 1));
      row.targets[query.label] = 1 - wrong;
      rows_.push_back(std::move(row));
    }
  }

  void Run() {
    double loss = Loss(x_);
    for (int step = 0; step < kStepsMax; ++step) {
      const std::vector<double> direction = NewtonDirection();
      double length = 1;
      std::vector<double> next = Moved(direction, length);
      // Half as far until it is downhill.
      while (Loss(next) > loss && length > 1e-12) next = Moved(direction, length /= 2);
      const double next_loss = Loss(next);
      if (!(next_loss < loss - 1e-14)) break;
      x_ = std::move(next);
      loss = next_loss;
    }
  }

  double scale() const { return x_[0]; }
  double offset(size_t j) const { return free_ ? x_[1 + j] : 0; }

 private:
  struct Row {
    std::vector<double> z;        // [labels]
    std::vector<double> targets;  // [labels], sum to 1
    double weight = 0;            // of all rows: 1
  };

  std::vector<double> Outputs(const Row& row, const std::vector<double>& x) const {
    std::vector<double> out(labels_);
    for (size_t j = 0; j < labels_; ++j) out[j] = x[0] * row.z[j] + (free_ ? x[1 + j] : 0);
    return LogSoftmax(out);
  }

  double Loss(const std::vector<double>& x) const {
    double loss = 0;
    for (const Row& row : rows_) {
      const std::vector<double> log_p = Outputs(row, x);
      for (size_t j = 0; j < labels_; ++j) loss -= row.weight * row.targets[j] * log_p[j];
    }
    for (size_t i = 1; i < x.size(); ++i) loss += kRidge * x[i] * x[i] / 2;
    return loss;
  }

  // Derivatives of output j: z_j by the scale, 1 by the offset j.
  double Derivative(const Row& row, size_t j, size_t parameter) const {
    if (parameter == 0) return row.z[j];
    return parameter == 1 + j ? 1 : 0;
  }

  std::vector<double> NewtonDirection() const {
    const size_t n = x_.size();
    std::vector<double> gradient(n, 0);
    std::vector<std::vector<double>> hessian(n, std::vector<double>(n, 0));
    for (const Row& row : rows_) AddRow(row, gradient, hessian);
    for (size_t i = 0; i < n; ++i) {
      gradient[i] += i > 0 ? kRidge * x_[i] : 0;
      hessian[i][i] += kRidge;
    }
    std::vector<double> step = Solve(std::move(hessian), std::move(gradient));
    for (double& value : step) value = -value;
    return step;
  }

  // Gradient sum_j (p_j - t_j) d_j; Hessian E[d d'] - E[d] E[d]' under p.
  void AddRow(const Row& row, std::vector<double>& gradient,
              std::vector<std::vector<double>>& hessian) const {
    const size_t n = x_.size();
    const std::vector<double> log_p = Outputs(row, x_);
    std::vector<double> mean(n, 0);
    for (size_t j = 0; j < labels_; ++j) {
      const double p = std::exp(log_p[j]);
      for (size_t a = 0; a < n; ++a) {
        const double derivative = Derivative(row, j, a);
        mean[a] += p * derivative;
        gradient[a] += row.weight * (p - row.targets[j]) * derivative;
        for (size_t b = 0; b < n; ++b) {
          hessian[a][b] += row.weight * p * derivative * Derivative(row, j, b);
        }
      }
    }
    for (size_t a = 0; a < n; ++a) {
      for (size_t b = 0; b < n; ++b) hessian[a][b] -= row.weight * mean[a] * mean[b];
    }
  }

  std::vector<double> Moved(const std::vector<double>& direction, double length) const {
    std::vector<double> x = x_;
    for (size_t i = 0; i < x.size(); ++i) x[i] += length * direction[i];
    x[0] = std::clamp(x[0], kScaleMin, kScaleMax);
    return x;
  }

  const size_t labels_;
  const bool free_;
  std::vector<double> x_;  // the scale, then the offsets
  std::vector<Row> rows_;
};

LogitScaling Fit(const std::vector<LabelledLogits>& queries, std::vector<double> bias,
                 bool free_offsets) {
  AIO_CHECK(!queries.empty());
  ScalingFitter fitter(queries, bias, free_offsets);
  fitter.Run();
  LogitScaling scaling{.bias = std::move(bias), .temperature = 1 / fitter.scale()};
  // scale * (z - bias) + offset = (z - (bias - offset / scale)) / temperature
  for (size_t j = 0; j < scaling.bias.size(); ++j) {
    scaling.bias[j] -= fitter.offset(j) / fitter.scale();
  }
  Centre(scaling.bias);
  return scaling;
}

std::vector<double> LogProbabilities(const LogitScaling& scaling,
                                     const std::vector<float>& logits) {
  AIO_CHECK(logits.size() == scaling.bias.size() && !logits.empty());
  std::vector<double> z(logits.begin(), logits.end());
  for (size_t j = 0; j < z.size(); ++j) z[j] = (z[j] - scaling.bias[j]) / scaling.temperature;
  return LogSoftmax(z);
}

}  // namespace

LogitScaling LogitScaling::None(int labels) {
  return {.bias = std::vector<double>(static_cast<size_t>(labels), 0.0), .temperature = 1};
}

std::vector<double> ScaledProbabilities(const LogitScaling& scaling,
                                        const std::vector<float>& logits) {
  std::vector<double> p = LogProbabilities(scaling, logits);
  for (double& value : p) value = std::exp(value);
  return p;
}

double UnseenErrorShare(size_t queries) { return 1 / (static_cast<double>(queries) + 2); }

double NegativeLogLikelihood(const LogitScaling& scaling,
                             const std::vector<LabelledLogits>& queries, double wrong) {
  double sum = 0;
  double weights = 0;
  for (const LabelledLogits& query : queries) {
    const std::vector<double> log_p = LogProbabilities(scaling, query.logits);
    const double each = wrong / static_cast<double>(log_p.size() - 1);
    for (size_t j = 0; j < log_p.size(); ++j) {
      const bool right = static_cast<int>(j) == query.label;
      sum -= query.weight * (right ? 1 - wrong : each) * log_p[j];
    }
    weights += query.weight;
  }
  return weights > 0 ? sum / weights : 0;
}

std::vector<double> ContentFreeBias(const std::vector<std::vector<float>>& rows) {
  AIO_CHECK(!rows.empty());
  std::vector<double> bias(rows.front().size(), 0);
  for (const std::vector<float>& row : rows) {
    const std::vector<double> log_p = LogSoftmax({row.begin(), row.end()});
    for (size_t j = 0; j < bias.size(); ++j) bias[j] += log_p[j] / static_cast<double>(rows.size());
  }
  Centre(bias);
  return bias;
}

LogitScaling FitTemperature(const std::vector<LabelledLogits>& queries, std::vector<double> bias) {
  return Fit(queries, std::move(bias), /*free_offsets=*/false);
}

LogitScaling FitBiasAndTemperature(const std::vector<LabelledLogits>& queries) {
  AIO_CHECK(!queries.empty());
  return Fit(queries, std::vector<double>(queries.front().logits.size(), 0.0),
             /*free_offsets=*/true);
}

std::string_view BiasKindName(BiasKind kind) {
  switch (kind) {
    case BiasKind::kUnscaled:
      return "not scaled";
    case BiasKind::kNone:
      return "none";
    case BiasKind::kContentFree:
      return "content-free";
    case BiasKind::kFitted:
      return "fitted";
  }
  return "";
}

}  // namespace aio
