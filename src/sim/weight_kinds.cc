#include "sim/weight_kinds.h"

#include <array>

namespace aio {
namespace {

struct Kind {
  SimWeights weights;
  std::string_view name;
  double bytes;
};

// The last two by GGUF's blocks of 32 weights, which have a scale of two bytes each.
constexpr std::array<Kind, 5> kKinds = {{{SimWeights::kF16, "f16", 2},
                                         {SimWeights::kW8A16, "w8a16", 1},
                                         {SimWeights::kW8A8, "w8a8", 1},
                                         {SimWeights::kQ8_0, "q8_0", 34.0 / 32},
                                         {SimWeights::kQ4_0, "q4_0", 18.0 / 32}}};

const Kind& Find(SimWeights weights) {
  for (const Kind& kind : kKinds) {
    if (kind.weights == weights) return kind;
  }
  return kKinds[0];
}

}  // namespace

std::string_view SimWeightsName(SimWeights weights) { return Find(weights).name; }

std::optional<SimWeights> SimWeightsFromName(std::string_view name) {
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return kind.weights;
  }
  return std::nullopt;
}

std::string SimWeightsNames() {
  std::string names;
  for (const Kind& kind : kKinds) {
    if (!names.empty()) names += ", ";
    names += kind.name;
  }
  return names;
}

double BytesPerWeight(SimWeights weights) { return Find(weights).bytes; }

}  // namespace aio
