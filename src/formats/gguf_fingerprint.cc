#include "formats/gguf_fingerprint.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/sha256.h"
#include "formats/gguf.h"

namespace aio {
namespace {

// With its length, so that neighbours cannot be taken for each other.
void AddText(Sha256& hash, std::string_view text) {
  hash.AddInteger(text.size());
  hash.Add(text);
}

void AddSamples(Sha256& hash, std::span<const std::byte> data) {
  constexpr size_t kSamples = 8;
  constexpr size_t kSampleBytes = 4096;
  hash.AddInteger(data.size());
  if (data.size() <= kSamples * kSampleBytes) return hash.Add(data.data(), data.size());
  const size_t last = data.size() - kSampleBytes;
  for (size_t i = 0; i < kSamples; ++i) {
    hash.Add(data.data() + last * i / (kSamples - 1), kSampleBytes);
  }
}

}  // namespace

std::string GgufFingerprint(const GgufFile& file) {
  Sha256 hash;
  hash.AddInteger(file.metadata().size());
  for (const GgufKeyValue& entry : file.metadata()) {
    AddText(hash, entry.key);
    hash.AddInteger(static_cast<uint64_t>(entry.value.type));
    hash.AddInteger(static_cast<uint64_t>(entry.value.element_type));
    hash.AddInteger(entry.value.count);
    hash.AddInteger(entry.value.raw.size());
    hash.Add(entry.value.raw.data(), entry.value.raw.size());
  }
  for (const GgufTensor& tensor : file.tensors()) {
    AddText(hash, tensor.name);
    hash.AddInteger(tensor.type);
    hash.AddInteger(tensor.dims.size());
    for (const uint64_t dim : tensor.dims) hash.AddInteger(dim);
    AddSamples(hash, tensor.data);
  }
  return hash.Hex();
}

}  // namespace aio
