#include "convert/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/thread_pool.h"
#include "convert/decode_floats.h"
#include "formats/gguf_writer.h"
#include "formats/quote.h"
#include "formats/tensor_type.h"
#include "model/check_weights.h"
#include "model/tensor_types.h"

namespace aio {
namespace {

// What is encoded before it is written, and what one task of it encodes.
constexpr size_t kPieceValues = size_t{1} << 22;
constexpr size_t kTaskValues = size_t{1} << 15;

// The version of ggml's quantised layouts that these are.
constexpr uint32_t kQuantizationVersion = 2;

uint64_t Elements(const SourceTensor& tensor) {
  uint64_t elements = 1;
  for (const uint64_t dim : tensor.dims) elements *= dim;
  return elements;
}

// Whether it is multiplied with: what types are chosen for.
bool IsMatrix(const SourceTensor& tensor) { return tensor.dims.size() >= 2; }

bool Fits(WeightType type, const SourceTensor& tensor) {
  return tensor.dims[0] % static_cast<uint64_t>(BlockOf(type).values) == 0;
}

bool HasFewBits(WeightType type) {
  return type == WeightType::kQ4_0 || type == WeightType::kQ4_K || type == WeightType::kQ5_K;
}

// The largest magnitude that `type` can hold: that of its halves, times the codes.
float Limit(WeightType type) {
  constexpr float kHalfMax = 65504.0f;
  switch (type) {
    case WeightType::kF32:
    case WeightType::kBF16:
      return INFINITY;
    case WeightType::kF16:
      return kHalfMax;
    case WeightType::kQ4_0:
      return kHalfMax * 8.0f;
    case WeightType::kQ8_0:
      return kHalfMax * 127.0f;
    case WeightType::kQ4_K:
    case WeightType::kQ5_K:
    case WeightType::kQ6_K:
      return kHalfMax * 63.0f;
  }
  return kHalfMax;
}

// How one tensor is to be written.
struct Plan {
  const SourceTensor* tensor;
  WeightType type;
};

class Planner {
 public:
  Planner(const ModelSource& source, WeightType type) : source_(source), type_(type) {
    const auto is_output = [](const SourceTensor& t) { return t.name == "output.weight"; };
    tied_ = std::none_of(source.tensors.begin(), source.tensors.end(), is_output);
  }

  Result<std::vector<Plan>> Run(QuantizeSummary& summary) const {
    std::vector<Plan> plans;
    for (const SourceTensor& tensor : source_.tensors) {
      const WeightType wanted = Wanted(tensor);
      const WeightType type = Fitting(wanted, tensor);
      if (type != wanted) summary.fallbacks.push_back({tensor.name, tensor.dims[0], wanted, type});
      if (IsQuantized(tensor.type) && tensor.type != type) {
        // A matrix of the type that was asked for stays, also where a mixture would have
        // another.
        if (tensor.type != type_) return RefuseQuantized(tensor);
        plans.push_back({&tensor, tensor.type});
      } else {
        plans.push_back({&tensor, type});
      }
    }
    return plans;
  }

 private:
  WeightType Wanted(const SourceTensor& tensor) const {
    if (!IsMatrix(tensor)) return WeightType::kF32;
    const bool is_output =
        tensor.name == "output.weight" || (tied_ && tensor.name == "token_embd.weight");
    return is_output && HasFewBits(type_) ? WeightType::kQ6_K : type_;
  }

  static WeightType Fitting(WeightType wanted, const SourceTensor& tensor) {
    for (const WeightType type : {wanted, WeightType::kQ8_0}) {
      if (Fits(type, tensor)) return type;
    }
    return WeightType::kF16;
  }

  Status RefuseQuantized(const SourceTensor& tensor) const {
    return InvalidArgument(fmt::format(
        "{}: tensor {}: is {} already, and encoding it again as {} would add that type's errors "
        "to its own; start from the F32, F16 or BF16 original",
        source_.path, QuoteForMessage(tensor.stored_name), WeightTypeName(tensor.type),
        WeightTypeName(type_)));
  }

  const ModelSource& source_;
  const WeightType type_;
  bool tied_ = false;
};

// A tensor as rows that are encoded one by one. A vector is one row, but one of a row each
// value where its values change places.
struct Shape {
  explicit Shape(const SourceTensor& tensor)
      : columns(tensor.dims.size() == 1 && tensor.heads_to_interleave > 0 ? 1 : tensor.dims[0]),
        rows(Elements(tensor) / columns),
        head_rows(tensor.heads_to_interleave > 0
                      ? rows / static_cast<uint64_t>(tensor.heads_to_interleave)
                      : 0) {}

  // Which stored row is to be written as row `row`.
  uint64_t StoredRow(uint64_t row) const {
    if (head_rows == 0) return row;
    const uint64_t in_head = row % head_rows;
    return row - in_head + in_head / 2 + (in_head % 2) * (head_rows / 2);
  }

  uint64_t columns;
  uint64_t rows;
  uint64_t head_rows;
};

uint64_t RowBytes(WeightType type, uint64_t columns) {
  const WeightBlock block = BlockOf(type);
  return columns / static_cast<uint64_t>(block.values) * static_cast<uint64_t>(block.bytes);
}

// Encodes the tensors of a plan in turn.
class Encoder {
 public:
  Encoder(const ModelSource& source, const QuantizeOptions& options, ThreadPool& pool)
      : source_(source), options_(options), pool_(pool), scratch_(pool.num_threads()) {
    for (const SourceTensor& tensor : source.tensors) total_ += Bytes(tensor);
  }

  // What is wrong with the model, as opposed to the writing of it.
  const Status& fault() const { return fault_; }

  Status Write(const Plan& plan, const GgufWriter::Put& put) {
    const SourceTensor& tensor = *plan.tensor;
    const Shape shape(tensor);
    const uint64_t piece = std::max<uint64_t>(1, kPieceValues / shape.columns);
    const uint64_t stored_row_bytes = RowBytes(tensor.type, shape.columns);
    for (uint64_t begin = 0; begin < shape.rows; begin += piece) {
      if (options_.cancelled && options_.cancelled()) return Cancelled("interrupted");
      const uint64_t end = std::min(shape.rows, begin + piece);
      piece_.resize((end - begin) * RowBytes(plan.type, shape.columns));
      fault_ = EncodeRows(plan, shape, begin, end);
      if (!fault_.ok()) return fault_;
      AIO_RETURN_IF_ERROR(put(piece_));
      const uint64_t bytes = (end - begin) * stored_row_bytes;
      if (tensor.release) tensor.release(tensor.data.subspan(begin * stored_row_bytes, bytes));
      done_ += static_cast<int64_t>(bytes);
      if (options_.progress) options_.progress(done_, total_);
    }
    return Status::Ok();
  }

 private:
  struct Scratch {
    std::vector<float> values;
    std::vector<std::byte> stored;
  };
  struct Fault {
    uint64_t row = 0;  // as stored
    float magnitude = 0.0f;
    bool found = false;
  };

  static int64_t Bytes(const SourceTensor& tensor) {
    return static_cast<int64_t>(tensor.data.size());
  }

  // Rows [begin, end) into piece_.
  Status EncodeRows(const Plan& plan, const Shape& shape, uint64_t begin, uint64_t end) {
    const uint64_t rows_each = std::max<uint64_t>(1, kTaskValues / shape.columns);
    const size_t tasks = (end - begin + rows_each - 1) / rows_each;
    faults_.assign(tasks, {});
    pool_.ParallelFor(tasks, [&](size_t task, int thread) {
      const uint64_t first = begin + task * rows_each;
      for (uint64_t row = first; row < std::min(end, first + rows_each); ++row) {
        std::byte* out = piece_.data() + (row - begin) * RowBytes(plan.type, shape.columns);
        faults_[task] = EncodeOne(plan, shape, shape.StoredRow(row), scratch_[thread], out);
        if (faults_[task].found) return;
      }
    });
    for (const Fault& fault : faults_) {
      if (fault.found) return Describe(plan, fault);
    }
    return Status::Ok();
  }

  static Fault EncodeOne(const Plan& plan, const Shape& shape, uint64_t row, Scratch& scratch,
                         std::byte* out) {
    const SourceTensor& tensor = *plan.tensor;
    const uint64_t row_bytes = RowBytes(tensor.type, shape.columns);
    const std::span<const std::byte> stored = tensor.data.subspan(row * row_bytes, row_bytes);
    scratch.values.resize(shape.columns);
    DecodeFloats(stored, tensor.type, scratch.values, scratch.stored);
    const float magnitude = LargestMagnitude(scratch.values);
    if (!std::isfinite(magnitude)) return {row, magnitude, true};
    if (plan.type == tensor.type) {
      std::memcpy(out, stored.data(), stored.size());
      return {};
    }
    if (magnitude > Limit(plan.type)) return {row, magnitude, true};
    EncodeRow(scratch.values, plan.type, out);
    return {};
  }

  Status Describe(const Plan& plan, const Fault& fault) const {
    const std::string where = fmt::format("{}: tensor {}: row {}", source_.path,
                                          QuoteForMessage(plan.tensor->stored_name), fault.row);
    if (!std::isfinite(fault.magnitude)) {
      return InvalidArgument(fmt::format(
          "{} has weights that are not finite ({}); the model is damaged, get another copy", where,
          std::isnan(fault.magnitude) ? "NaN" : "infinity"));
    }
    return InvalidArgument(
        fmt::format("{} has a weight of magnitude {}, more than {} can hold ({}); choose bf16",
                    where, fault.magnitude, WeightTypeName(plan.type), Limit(plan.type)));
  }

  const ModelSource& source_;
  const QuantizeOptions& options_;
  ThreadPool& pool_;
  std::vector<Scratch> scratch_;  // by thread
  std::vector<std::byte> piece_;
  std::vector<Fault> faults_;  // by task
  Status fault_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

// It would be safe, but what was lost cannot be had back from what is written.
Status RefuseOverwriting(const ModelSource& source, const std::string& path) {
  for (const std::string& file : source.files) {
    std::error_code error;
    if (!std::filesystem::equivalent(file, path, error)) continue;
    return InvalidArgument(
        fmt::format("{}: is the model that is read; write to another file", path));
  }
  return Status::Ok();
}

// A conversion that would end in the middle for want of space does not begin.
Status CheckSpace(const std::string& path, uint64_t needed) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(path, error).parent_path();
  if (error) return Status::Ok();
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error || space.available >= needed) return Status::Ok();  // writing will say what is wrong
  return ResourceExhausted(
      fmt::format("{}: needs {:.2f} GB, but only {:.2f} GB are free in {}; free some or write "
                  "elsewhere",
                  path, static_cast<double>(needed) / 1e9,
                  static_cast<double>(space.available) / 1e9, folder.string()));
}

// Declares the tensors, counts them and returns what they take.
uint64_t Declare(const std::vector<Plan>& plans, GgufWriter& header, QuantizeSummary& summary) {
  uint64_t bytes = 0;
  for (const Plan& plan : plans) {
    const auto type = static_cast<uint32_t>(ToTensorType(plan.type));
    header.DeclareTensor(plan.tensor->name, type, plan.tensor->dims);
    const uint64_t elements = Elements(*plan.tensor);
    const uint64_t tensor_bytes = *TensorBytes(type, elements);
    QuantizeSummary::Group& group = summary.by_type[std::string(WeightTypeName(plan.type))];
    ++group.tensors;
    group.bytes += static_cast<int64_t>(tensor_bytes);
    summary.parameters += static_cast<int64_t>(elements);
    bytes += tensor_bytes;
  }
  return bytes;
}

}  // namespace

Result<QuantizeSummary> Quantize(ModelSource source, const std::string& path,
                                 const QuantizeOptions& options) {
  AIO_RETURN_IF_ERROR(RefuseOverwriting(source, path));
  QuantizeSummary summary;
  summary.bytes_in = source.bytes;
  AIO_ASSIGN_OR_RETURN(const std::vector<Plan> plans, Planner(source, options.type).Run(summary));
  GgufWriter& header = *source.header;
  header.SetUint32("general.file_type", GgufFileType(options.type));
  header.SetUint32("general.quantization_version", kQuantizationVersion);
  AIO_RETURN_IF_ERROR(CheckSpace(path, Declare(plans, header, summary)));
  std::optional<ThreadPool> pool;
  try {
    pool.emplace(options.num_threads);
  } catch (const std::system_error& e) {
    return ResourceExhausted(
        fmt::format("cannot start {} threads to encode with: {}", options.num_threads, e.what()));
  }
  Encoder encoder(source, options, *pool);
  auto next = plans.begin();
  const Status written =
      header.WriteFile(path, [&](std::string_view /*name*/, const GgufWriter::Put& put) {
        return encoder.Write(*next++, put);
      });
  if (!written.ok()) return encoder.fault().ok() ? written : encoder.fault();
  std::error_code error;
  summary.bytes_out = std::filesystem::file_size(path, error);
  return summary;
}

}  // namespace aio
