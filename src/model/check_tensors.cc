#include "model/check_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string>
#include <string_view>

#include "formats/quote.h"
#include "kernels/matrix.h"
#include "model/architecture.h"

namespace aio {
namespace {

// Descriptions of offending tensors, the first few spelled out.
class TensorList {
 public:
  void Add(const std::string& text) {
    constexpr size_t kSpelledOut = 8;
    if (++count_ <= kSpelledOut) text_ += (text_.empty() ? "" : ", ") + text;
  }
  bool empty() const { return count_ == 0; }
  std::string text() const { return fmt::format("{} ({} in all)", text_, count_); }

 private:
  size_t count_ = 0;
  std::string text_;
};

// Whether a layer's tensor ("attn_q.bias") has a place in this architecture's graph.
bool IsLayerTensor(const Architecture& architecture, std::string_view suffix) {
  for (const std::string_view common :
       {"attn_norm.weight", "attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight",
        "ffn_norm.weight", "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"}) {
    if (suffix == common) return true;
  }
  if (suffix == "attn_q.bias" || suffix == "attn_k.bias" || suffix == "attn_v.bias") {
    return architecture.qkv_bias != Presence::kAbsent;
  }
  if (suffix == "attn_output.bias") return architecture.attention_output_bias != Presence::kAbsent;
  if (suffix == "attn_q_norm.weight" || suffix == "attn_k_norm.weight") {
    return architecture.head_norms != Presence::kAbsent;
  }
  // Old converters stored the rotation's frequencies, which the configuration gives too.
  return suffix == "attn_rot_embd";
}

bool IsKnownTensor(const Architecture& architecture, int num_layers, std::string_view name) {
  if (name == "token_embd.weight" || name == "output_norm.weight" || name == "output.weight") {
    return true;
  }
  if (name == "rope_freqs.weight") return architecture.rope_factors != Presence::kAbsent;
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  int layer = -1;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data(), end, layer);
  if (error != std::errc() || layer < 0 || layer >= num_layers) return false;
  if (rest == end || *rest != '.') return false;
  // Only the spelling that is looked up when weights are loaded: "00" would never be read.
  if (std::to_string(layer) != std::string_view(name.data(), rest - name.data())) return false;
  return IsLayerTensor(architecture, std::string_view(rest + 1, end - rest - 1));
}

}  // namespace

Status CheckTensors(const GgufFile& file, const ModelConfig& config) {
  const Architecture& architecture = *FindArchitecture(config.architecture);
  TensorList unknown;
  TensorList unrunnable;
  for (const GgufTensor& tensor : file.tensors()) {
    if (!IsKnownTensor(architecture, config.num_layers, tensor.name)) {
      unknown.Add(QuoteForMessage(tensor.name));
    } else if (!IsRunnableTensorType(tensor.type)) {
      unrunnable.Add(fmt::format("{} {}", tensor.name, TensorTypeName(tensor.type)));
    }
  }
  if (!unknown.empty()) {
    return Unimplemented(
        fmt::format("{}: has tensors that have no place in a {} model of {} layers: {}",
                    file.path(), config.architecture, config.num_layers, unknown.text()));
  }
  if (!unrunnable.empty()) {
    return Unimplemented(
        fmt::format("{}: has tensors of types that cannot be run (those that can: {}): {}",
                    file.path(), fmt::join(WeightTypeNames(), ", "), unrunnable.text()));
  }
  return Status::Ok();
}

}  // namespace aio
