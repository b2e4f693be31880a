#include "formats/tensor_type.h"

#include <array>
#include <cstddef>
#include <string>

namespace aio {
namespace {

struct TypeInfo {
  std::string_view name;  // empty: never assigned
  TensorBlock block{};    // {0, 0}: withdrawn, its size no longer documented
};

// Index = ggml_type. Quantised types are blocks of 32 (the first generation) or 256
// elements (the K, IQ and TQ families), each with its own scales.
constexpr auto kTypes = std::to_array<TypeInfo>({
    {"F32", {1, 4}},         // 0
    {"F16", {1, 2}},         // 1
    {"Q4_0", {32, 18}},      // 2
    {"Q4_1", {32, 20}},      // 3
    {"Q4_2"},                // 4: withdrawn
    {"Q4_3"},                // 5: withdrawn
    {"Q5_0", {32, 22}},      // 6
    {"Q5_1", {32, 24}},      // 7
    {"Q8_0", {32, 34}},      // 8
    {"Q8_1", {32, 36}},      // 9
    {"Q2_K", {256, 84}},     // 10
    {"Q3_K", {256, 110}},    // 11
    {"Q4_K", {256, 144}},    // 12
    {"Q5_K", {256, 176}},    // 13
    {"Q6_K", {256, 210}},    // 14
    {"Q8_K", {256, 292}},    // 15
    {"IQ2_XXS", {256, 66}},  // 16
    {"IQ2_XS", {256, 74}},   // 17
    {"IQ3_XXS", {256, 98}},  // 18
    {"IQ1_S", {256, 50}},    // 19
    {"IQ4_NL", {32, 18}},    // 20
    {"IQ3_S", {256, 110}},   // 21
    {"IQ2_S", {256, 82}},    // 22
    {"IQ4_XS", {256, 136}},  // 23
    {"I8", {1, 1}},          // 24
    {"I16", {1, 2}},         // 25
    {"I32", {1, 4}},         // 26
    {"I64", {1, 8}},         // 27
    {"F64", {1, 8}},         // 28
    {"IQ1_M", {256, 56}},    // 29
    {"BF16", {1, 2}},        // 30
    {"Q4_0_4_4"},            // 31: withdrawn
    {"Q4_0_4_8"},            // 32: withdrawn
    {"Q4_0_8_8"},            // 33: withdrawn
    {"TQ1_0", {256, 54}},    // 34
    {"TQ2_0", {256, 66}},    // 35
    {"IQ4_NL_4_4"},          // 36: withdrawn
    {"IQ4_NL_4_8"},          // 37: withdrawn
    {"IQ4_NL_8_8"},          // 38: withdrawn
    {"MXFP4", {32, 17}},     // 39
    {"NVFP4", {64, 36}},     // 40
    {"Q1_0", {128, 18}},     // 41
});

static_assert(kTypes[static_cast<size_t>(TensorType::kQ4_0)].name == "Q4_0");
static_assert(kTypes[static_cast<size_t>(TensorType::kQ8_0)].name == "Q8_0");
static_assert(kTypes[static_cast<size_t>(TensorType::kQ4_K)].name == "Q4_K");
static_assert(kTypes[static_cast<size_t>(TensorType::kQ5_K)].name == "Q5_K");
static_assert(kTypes[static_cast<size_t>(TensorType::kQ6_K)].name == "Q6_K");
static_assert(kTypes[static_cast<size_t>(TensorType::kBF16)].name == "BF16");

// "type 0", "type 1", ...: made once, so that the views into them never dangle.
constexpr size_t kNumberedNames = 256;
std::array<std::string, kNumberedNames> MakeNumberedNames() {
  std::array<std::string, kNumberedNames> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = "type " + std::to_string(i);
  return names;
}

}  // namespace

std::string_view TensorTypeName(uint32_t type) {
  if (type < kTypes.size()) return kTypes[type].name;
  static const auto& numbered = *new std::array(MakeNumberedNames());
  return type < numbered.size() ? std::string_view(numbered[type]) : "type above 255";
}

bool IsRunnableTensorType(uint32_t type) {
  switch (static_cast<TensorType>(type)) {
    case TensorType::kF32:
    case TensorType::kF16:
    case TensorType::kQ4_0:
    case TensorType::kQ8_0:
    case TensorType::kQ4_K:
    case TensorType::kQ5_K:
    case TensorType::kQ6_K:
    case TensorType::kBF16:
      return true;
  }
  return false;
}

std::optional<TensorBlock> FindTensorBlock(uint32_t type) {
  if (type >= kTypes.size() || kTypes[type].block.elements == 0) return std::nullopt;
  return kTypes[type].block;
}

std::optional<uint64_t> TensorBytes(uint32_t type, uint64_t elements) {
  const std::optional<TensorBlock> block = FindTensorBlock(type);
  if (!block || elements % block->elements != 0) return std::nullopt;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements / block->elements, uint64_t{block->bytes}, &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace aio
