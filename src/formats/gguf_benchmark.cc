// What starting on a model costs before its weights: parsing the header, reading a large
// vocabulary, finding every tensor by name.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_writer.h"

namespace aio {
namespace {

constexpr int kTokens = 150'000;
constexpr int kTensors = 500;

std::string TensorName(int i) { return "blk." + std::to_string(i) + ".attn_q.weight"; }

const std::vector<std::byte>& ModelBytes() {
  static const auto& bytes = *new std::vector<std::byte>([] {
    std::vector<std::string> tokens;
    for (int i = 0; i < kTokens; ++i) tokens.push_back("token" + std::to_string(i));
    GgufWriter writer;
    writer.SetStringArray("tokenizer.ggml.tokens", tokens);
    writer.SetFloat32Array("tokenizer.ggml.scores", std::vector<float>(kTokens));
    const uint64_t dims[] = {32};
    const std::vector<std::byte> data(*TensorBytes(0, 32));
    for (int i = 0; i < kTensors; ++i) writer.AddTensor(TensorName(i), 0, dims, data);
    return writer.Encode();
  }());
  return bytes;
}

void BM_Parse(benchmark::State& state) {
  const auto& bytes = ModelBytes();
  for (auto _ : state) benchmark::DoNotOptimize(GgufFile::Parse(bytes, "model.gguf"));
}
BENCHMARK(BM_Parse)->Unit(benchmark::kMillisecond);

void BM_GetStringArray(benchmark::State& state) {
  const auto file = GgufFile::Parse(ModelBytes(), "model.gguf").value();
  for (auto _ : state) benchmark::DoNotOptimize(file->GetStringArray("tokenizer.ggml.tokens"));
}
BENCHMARK(BM_GetStringArray)->Unit(benchmark::kMillisecond);

void BM_FindTensor(benchmark::State& state) {
  const auto file = GgufFile::Parse(ModelBytes(), "model.gguf").value();
  const std::string name = TensorName(kTensors / 2);
  for (auto _ : state) benchmark::DoNotOptimize(file->FindTensor(name));
}
BENCHMARK(BM_FindTensor);

}  // namespace
}  // namespace aio
