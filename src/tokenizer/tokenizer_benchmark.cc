// Encoding speed. Vocabularies and English text come from outside the project:
//   tokenizer_benchmark [--benchmark_filter=...]
// reads ../shared/data next to the source tree, or the folder that AIO_DATA names.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/gguf.h"
#include "tokenizer/tokenizer.h"

namespace aio {
namespace {

constexpr size_t kMegabyte = 1 << 20;

std::string DataFolder() {
  const char* folder = std::getenv("AIO_DATA");
  return folder != nullptr ? folder : "../shared/data";
}

std::string VocabularyPath(const std::string& name) {
  return DataFolder() + "/tokenizer_conformity/ggml-vocab-" + name + ".gguf";
}

// Null if the file is absent.
std::shared_ptr<const Tokenizer> LoadTokenizer(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
  auto& tokenizer = loaded[name];
  if (tokenizer == nullptr) {
    const auto file = GgufFile::Open(VocabularyPath(name));
    if (!file.ok()) return nullptr;
    auto result = Tokenizer::Load(**file);
    if (result.ok()) tokenizer = *result;
  }
  return tokenizer;
}

// The start of `unit` repeated.
std::string Repeated(const std::string& unit, size_t size) {
  std::string text;
  while (text.size() < size) text += unit;
  text.resize(size);
  return text;
}

std::string EnglishText() {
  std::ifstream in(DataFolder() + "/gsm8k/train.jsonl", std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(in), {});
  return all.empty() ? std::string() : Repeated(all, 2 * kMegabyte);
}

std::string Text(const std::string& kind) {
  if (kind == "english") return EnglishText();
  if (kind == "chinese") return Repeated("我想在苹果公司工作，因为那里的天气很好。", kMegabyte);
  if (kind == "code") {
    return Repeated(
        "    for (int i = 0; i < n_items; ++i) {\n        total += values[i] * 31;\n    }\n",
        kMegabyte);
  }
  if (kind == "letter_a") return std::string(kMegabyte, 'a');
  if (kind == "spaces") return std::string(kMegabyte, ' ');
  if (kind == "newline_then_spaces") return "\n" + std::string(kMegabyte, ' ') + "x";
  if (kind == "digits") return Repeated("1234567890", kMegabyte);
  if (kind == "capitals") return std::string(kMegabyte, 'A');
  if (kind == "one_word") return Repeated("qzjxkvbwpfmlorandomletters", kMegabyte);
  if (kind == "invalid_utf8") return std::string(kMegabyte, '\xFF');
  return {};
}

void BM_Encode(benchmark::State& state, const std::string& vocabulary, const std::string& kind) {
  const std::shared_ptr<const Tokenizer> tokenizer = LoadTokenizer(vocabulary);
  const std::string text = Text(kind);
  if (tokenizer == nullptr || text.empty()) {
    state.SkipWithError("no data: set AIO_DATA");
    return;
  }
  const std::vector<TextPiece> pieces = {{text, false}};
  size_t tokens = 0;
  for (auto _ : state) {
    tokens = tokenizer->Encode(pieces, false).size();
    benchmark::DoNotOptimize(tokens);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
  state.counters["bytes_per_token"] = static_cast<double>(text.size()) / tokens;
}

void BM_Load(benchmark::State& state, const std::string& vocabulary) {
  const auto file = GgufFile::Open(VocabularyPath(vocabulary));
  if (!file.ok()) {
    state.SkipWithError("no data: set AIO_DATA");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(Tokenizer::Load(**file).ok());
}

int RegisterAll() {
  for (const std::string vocabulary :
       {"gpt-2", "deepseek-coder", "starcoder", "llama-spm", "phi-3"}) {
    benchmark::RegisterBenchmark(("Load/" + vocabulary).c_str(), BM_Load, vocabulary)
        ->Unit(benchmark::kMillisecond);
    for (const std::string kind :
         {"english", "code", "chinese", "letter_a", "spaces", "newline_then_spaces", "digits",
          "capitals", "one_word", "invalid_utf8"}) {
      benchmark::RegisterBenchmark(("Encode/" + vocabulary + "/" + kind).c_str(), BM_Encode,
                                   vocabulary, kind)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return 0;
}
const int kRegistered = RegisterAll();

}  // namespace
}  // namespace aio
