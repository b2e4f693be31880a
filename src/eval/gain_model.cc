#include "eval/gain_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "base/check.h"
#include "base/sha256.h"
#include "eval/quality_cost_curve.h"

namespace aio {
namespace {

// 64-bit FNV-1a.
uint64_t HashText(std::string_view text, uint64_t hash = 0xCBF29CE484222325) {
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash;
}

bool IsWordByte(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
}

// Runs of letters in lower case, and every other character but spaces alone: digits say that it is
// about numbers, not about which.
std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (const char c : text) {
    if (IsWordByte(c)) {
      const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (in_word) {
        words.back() += lower;
      } else {
        words.emplace_back(1, lower);
      }
      in_word = true;
      continue;
    }
    in_word = false;
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
    words.emplace_back(1, c >= '0' && c <= '9' ? '0' : c);
  }
  return words;
}

double Dot(const TextVector& x, const std::vector<double>& w) {
  double sum = 0;
  for (const auto& [index, value] : x) sum += static_cast<double>(value) * w[index];
  return sum;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// X'X w / n + l2 w.
std::vector<double> Normal(const std::vector<TextVector>& rows, double l2,
                           const std::vector<double>& w) {
  std::vector<double> out(w.size());
  for (size_t i = 0; i < w.size(); ++i) out[i] = l2 * w[i];
  for (const TextVector& row : rows) {
    const double scale = Dot(row, w) / static_cast<double>(rows.size());
    for (const auto& [index, value] : row) out[index] += scale * static_cast<double>(value);
  }
  return out;
}

// The w with Normal(w) = b.
std::vector<double> SolveByConjugateGradients(const std::vector<TextVector>& rows, double l2,
                                              const std::vector<double>& b) {
  constexpr int kIterationsMax = 200;
  constexpr double kTolerance = 1e-8;  // of the residual, against b
  std::vector<double> w(b.size(), 0.0), residual = b, direction = b;
  double norm = Dot(residual, residual);
  const double enough = kTolerance * kTolerance * norm;
  for (int i = 0; i < kIterationsMax && norm > enough; ++i) {
    const std::vector<double> image = Normal(rows, l2, direction);
    const double step = norm / Dot(direction, image);
    for (size_t k = 0; k < w.size(); ++k) {
      w[k] += step * direction[k];
      residual[k] -= step * image[k];
    }
    const double next = Dot(residual, residual);
    for (size_t k = 0; k < w.size(); ++k) direction[k] = residual[k] + next / norm * direction[k];
    norm = next;
  }
  return w;
}

double AreaOn(const GainModel& model, std::span<const OutcomeQuery> queries) {
  std::vector<ScoredOutcome> scored;
  scored.reserve(queries.size());
  for (const OutcomeQuery& query : queries) {
    scored.push_back(
        {.score = model.Predict(query.prompt), .small = query.small, .large = query.large});
  }
  return MeasureCurve(std::move(scored), /*resamples=*/1).area;
}

}  // namespace

TextVector ToTextVector(std::string_view text) {
  const std::vector<std::string> words = WordsOf(text);
  std::set<uint32_t> indices;
  for (size_t i = 0; i < words.size(); ++i) {
    const uint64_t word = HashText(words[i]);
    indices.insert(static_cast<uint32_t>(word % kTextFeatures));
    if (i == 0) continue;
    const uint64_t pair = HashText(words[i], HashText("\n", HashText(words[i - 1])));
    indices.insert(static_cast<uint32_t>(pair % kTextFeatures));
  }
  TextVector vector;
  const auto value = static_cast<float>(1 / std::sqrt(static_cast<double>(indices.size())));
  for (const uint32_t index : indices) vector.emplace_back(index, value);
  return vector;
}

GainModel GainModel::Fit(std::span<const OutcomeQuery> queries, double l2) {
  AIO_CHECK(!queries.empty() && l2 > 0);
  const auto count = static_cast<double>(queries.size());
  GainModel model;
  std::vector<TextVector> rows;
  rows.reserve(queries.size());
  for (const OutcomeQuery& query : queries) {
    rows.push_back(ToTextVector(query.prompt));
    model.mean_ += (query.large - query.small) / count;
  }
  std::vector<double> b(kTextFeatures, 0.0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double gain = queries[i].large - queries[i].small - model.mean_;
    for (const auto& [index, value] : rows[i])
      b[index] += gain * static_cast<double>(value) / count;
  }
  const std::vector<double> weights = SolveByConjugateGradients(rows, l2, b);
  model.weights_.assign(weights.begin(), weights.end());
  return model;
}

double GainModel::Predict(std::string_view prompt) const {
  double sum = mean_;
  for (const auto& [index, value] : ToTextVector(prompt)) {
    sum += static_cast<double>(value) * static_cast<double>(weights_[index]);
  }
  return sum;
}

GainModel FitGainModel(std::span<const OutcomeQuery> queries) {
  constexpr double kL2[] = {3e-4, 1e-3, 3e-3, 1e-2, 3e-2};
  const size_t tuned_on = queries.size() / 4;
  double best = kL2[2];
  double best_area = -std::numeric_limits<double>::infinity();
  // Of few queries, a quarter says nothing.
  constexpr size_t kTunedOnMin = 50;
  if (tuned_on >= kTunedOnMin) {
    for (const double l2 : kL2) {
      const GainModel model = GainModel::Fit(queries.subspan(tuned_on), l2);
      const double area = AreaOn(model, queries.first(tuned_on));
      if (area <= best_area) continue;
      best_area = area;
      best = l2;
    }
  }
  return GainModel::Fit(queries, best);
}

OutcomeHalves SplitOutcomes(const std::vector<OutcomeQuery>& queries) {
  // Sorted by hash, so that the order in the table, which may be by subject, means nothing.
  std::vector<std::pair<uint64_t, const OutcomeQuery*>> hashed;
  hashed.reserve(queries.size());
  for (const OutcomeQuery& query : queries) hashed.emplace_back(Sha256Uint64(query.prompt), &query);
  std::sort(hashed.begin(), hashed.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  OutcomeHalves halves;
  for (const auto& [hash, query] : hashed) {
    (hash >> 63 == 0 ? halves.fit : halves.test).push_back(*query);
  }
  return halves;
}

}  // namespace aio
