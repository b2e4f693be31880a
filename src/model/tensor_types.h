// The types of GGUF files (formats/) as the encodings that the kernels know, and back.
#ifndef AIO_MODEL_TENSOR_TYPES_H_
#define AIO_MODEL_TENSOR_TYPES_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "formats/tensor_type.h"
#include "kernels/matrix.h"

namespace aio {

inline constexpr std::pair<TensorType, WeightType> kTensorTypes[] = {
    {TensorType::kF32, WeightType::kF32},   {TensorType::kF16, WeightType::kF16},
    {TensorType::kBF16, WeightType::kBF16}, {TensorType::kQ8_0, WeightType::kQ8_0},
    {TensorType::kQ4_0, WeightType::kQ4_0}, {TensorType::kQ4_K, WeightType::kQ4_K},
    {TensorType::kQ5_K, WeightType::kQ5_K}, {TensorType::kQ6_K, WeightType::kQ6_K},
};

// Absent for types that cannot be run.
constexpr std::optional<WeightType> ToWeightType(uint32_t type) {
  for (const auto& [tensor, weight] : kTensorTypes) {
    if (static_cast<uint32_t>(tensor) == type) return weight;
  }
  return std::nullopt;
}

constexpr TensorType ToTensorType(WeightType type) {
  for (const auto& [tensor, weight] : kTensorTypes) {
    if (weight == type) return tensor;
  }
  return TensorType::kF32;
}

// general.file_type: what most matrices of a file are (llama.cpp's LLAMA_FTYPE numbers).
constexpr uint32_t GgufFileType(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return 0;
    case WeightType::kF16:
      return 1;
    case WeightType::kQ4_0:
      return 2;
    case WeightType::kQ8_0:
      return 7;
    case WeightType::kQ4_K:
      return 15;
    case WeightType::kQ5_K:
      return 17;
    case WeightType::kQ6_K:
      return 18;
    case WeightType::kBF16:
      return 32;
  }
  return 0;
}

}  // namespace aio

#endif  // AIO_MODEL_TENSOR_TYPES_H_
