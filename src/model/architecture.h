// The architectures this program runs, and what sets each apart from the common graph
// (RMS norm, rotary attention with grouped KV heads, SwiGLU).
#ifndef AIO_MODEL_ARCHITECTURE_H_
#define AIO_MODEL_ARCHITECTURE_H_

#include <string_view>

#include "kernels/kernels.h"

namespace aio {

enum class Presence { kAbsent, kOptional, kRequired };

struct Architecture {
  std::string_view name;  // general.architecture
  RopePairing rope_pairing;
  Presence qkv_bias;               // attn_q.bias, attn_k.bias, attn_v.bias
  Presence attention_output_bias;  // attn_output.bias
  Presence head_norms;             // attn_q_norm.weight, attn_k_norm.weight
  Presence rope_factors;           // rope_freqs.weight
};

// Rope pairing is that of the tensors in GGUF files: converters reorder llama's Q and K
// to interleaved pairs and leave the others as their authors published them.
inline constexpr Architecture kArchitectures[] = {
    {"llama", RopePairing::kInterleaved, Presence::kOptional, Presence::kOptional,
     Presence::kAbsent, Presence::kOptional},
    {"qwen2", RopePairing::kHalves, Presence::kRequired, Presence::kAbsent, Presence::kAbsent,
     Presence::kAbsent},
    {"qwen3", RopePairing::kHalves, Presence::kOptional, Presence::kOptional, Presence::kRequired,
     Presence::kAbsent},
    {"pangu-embedded", RopePairing::kHalves, Presence::kRequired, Presence::kRequired,
     Presence::kAbsent, Presence::kAbsent},
};

// Null if `name` is none of them.
inline const Architecture* FindArchitecture(std::string_view name) {
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return &architecture;
  }
  return nullptr;
}

}  // namespace aio

#endif  // AIO_MODEL_ARCHITECTURE_H_
