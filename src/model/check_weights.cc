#include "model/check_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <optional>
#include <system_error>
#include <vector>

#include "base/thread_pool.h"
#include "formats/quote.h"
#include "model/tensor_types.h"

namespace aio {
namespace {

// What is decoded before it is released again, and what one task of it decodes.
constexpr size_t kPieceBytes = size_t{16} << 20;
constexpr int kTaskValues = 1 << 15;

class Checker {
 public:
  Checker(const GgufFile& file, const CheckWeightsOptions& options, ThreadPool& pool)
      : file_(file), options_(options), pool_(pool), scratch_(pool.num_threads()) {
    for (const GgufTensor& tensor : file.tensors()) {
      total_ += static_cast<int64_t>(tensor.data.size());
    }
  }

  Status Check(const GgufTensor& tensor) {
    const std::optional<WeightType> type = ToWeightType(tensor.type);
    if (!type || tensor.dims[0] % BlockOf(*type).values != 0) return Status::Ok();
    const uint64_t rows = tensor.elements / tensor.dims[0];
    if (rows > INT_MAX || tensor.dims[0] > INT_MAX) {
      return InvalidArgument(fmt::format("{}: tensor {}: has too many weights", file_.path(),
                                         QuoteForMessage(tensor.name)));
    }
    const Matrix matrix{tensor.data.data(), *type, static_cast<int>(rows),
                        static_cast<int>(tensor.dims[0])};
    const int piece = std::max(1, static_cast<int>(kPieceBytes / matrix.row_bytes()));
    for (int begin = 0; begin < matrix.rows; begin += piece) {
      const int end = std::min(matrix.rows, begin + piece);
      AIO_RETURN_IF_ERROR(CheckRows(tensor, matrix, begin, end));
      const size_t bytes = static_cast<size_t>(end - begin) * matrix.row_bytes();
      file_.Release({matrix.row(begin), bytes});
      done_ += static_cast<int64_t>(bytes);
      if (options_.progress) options_.progress(done_, total_);
    }
    return Status::Ok();
  }

 private:
  Status CheckRows(const GgufTensor& tensor, const Matrix& matrix, int begin, int end) {
    const int rows_each = std::max(1, kTaskValues / matrix.columns);
    const int tasks = (end - begin + rows_each - 1) / rows_each;
    bad_rows_.assign(static_cast<size_t>(tasks), -1);
    pool_.ParallelFor(static_cast<size_t>(tasks), [&](size_t task, int thread) {
      std::vector<float>& row = scratch_[static_cast<size_t>(thread)];
      row.resize(static_cast<size_t>(matrix.columns));
      const int first = begin + static_cast<int>(task) * rows_each;
      for (int r = first; r < std::min(end, first + rows_each); ++r) {
        DecodeRow(matrix, r, row);
        if (std::isfinite(LargestMagnitude(row))) continue;
        bad_rows_[task] = r;
        return;
      }
    });
    const auto bad = std::find_if(bad_rows_.begin(), bad_rows_.end(), [](int r) { return r >= 0; });
    return bad == bad_rows_.end() ? Status::Ok() : Describe(tensor, matrix, *bad);
  }

  Status Describe(const GgufTensor& tensor, const Matrix& matrix, int bad_row) const {
    std::vector<float> row(static_cast<size_t>(matrix.columns));
    DecodeRow(matrix, bad_row, row);
    const auto at = std::find_if(row.begin(), row.end(), [](float v) { return !std::isfinite(v); });
    return InvalidArgument(fmt::format(
        "{}: tensor {}: row {}, column {} is {}; the file is damaged or was converted wrongly, "
        "get another copy",
        file_.path(), QuoteForMessage(tensor.name), bad_row, at - row.begin(), *at));
  }

  const GgufFile& file_;
  const CheckWeightsOptions& options_;
  ThreadPool& pool_;
  std::vector<std::vector<float>> scratch_;  // a row, by thread
  std::vector<int> bad_rows_;                // by task; -1: none
  int64_t done_ = 0;
  int64_t total_ = 0;
};

}  // namespace

float LargestMagnitude(std::span<const float> values) {
  uint32_t largest = 0;  // as unsigned integers, magnitudes, infinity and NaN are in this order
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<uint32_t>(value) & 0x7fffffff);
  }
  return std::bit_cast<float>(largest);
}

Status CheckWeights(const GgufFile& file, const CheckWeightsOptions& options) {
  std::optional<ThreadPool> pool;
  try {
    pool.emplace(options.num_threads);
  } catch (const std::system_error& e) {
    return ResourceExhausted(
        fmt::format("cannot start {} threads to check with: {}", options.num_threads, e.what()));
  }
  Checker checker(file, options, *pool);
  for (const GgufTensor& tensor : file.tensors()) AIO_RETURN_IF_ERROR(checker.Check(tensor));
  return Status::Ok();
}

}  // namespace aio
