#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "api/json_text.h"
#include "app/commands.h"
#include "app/system_cpu.h"
#include "app/system_memory.h"
#include "base/clock.h"
#include "base/progress.h"
#include "convert/hugging_face.h"
#include "convert/quantize.h"
#include "tokenizer/pretokenizer_families.h"

namespace aio {

namespace {

struct QuantizeFlags {
  std::string input;
  std::string out;
  std::string type;
  std::string pre;
  int threads = 0;
  bool json = false;
};

volatile std::sig_atomic_t g_interrupted = 0;

// For as long as this lives, SIGINT and SIGTERM set a flag, so that the half-written file is
// taken away, and a file that may not grow any more is an error instead of an end.
class SignalGuard {
 public:
  SignalGuard() {
    g_interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { g_interrupted = 1; };
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, &file_size_);
  }
  ~SignalGuard() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
    sigaction(SIGXFSZ, &file_size_, nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
  struct sigaction file_size_ {};
};

Result<ModelSource> OpenSource(const QuantizeFlags& flags) {
  std::error_code error;
  if (std::filesystem::is_directory(flags.input, error)) {
    return OpenHuggingFaceSource(flags.input, flags.pre);
  }
  if (flags.input.ends_with(".safetensors") || flags.input.ends_with(".json")) {
    return InvalidArgument(flags.input +
                           ": is one file of a model; name the folder that holds them all");
  }
  return OpenGgufSource(flags.input);
}

// "2 matrices as Q8_0 instead of Q4_K, whose blocks of 256 do not fill rows of 896".
std::vector<std::string> DescribeFallbacks(const QuantizeSummary& summary) {
  std::map<std::string, int> counts;
  for (const QuantizeSummary::Fallback& fallback : summary.fallbacks) {
    ++counts[fmt::format("as {} instead of {}: rows of {} are not whole blocks of {}",
                         WeightTypeName(fallback.written), WeightTypeName(fallback.wanted),
                         fallback.columns, BlockOf(fallback.wanted).values)];
  }
  std::vector<std::string> lines;
  lines.reserve(counts.size());
  for (const auto& [text, count] : counts) {
    lines.push_back(fmt::format("{} {} {}", count, count == 1 ? "matrix" : "matrices", text));
  }
  return lines;
}

void PrintJson(const QuantizeFlags& flags, const QuantizeSummary& summary,
               const std::vector<std::string>& notes, double seconds) {
  OrderedJson tensors = OrderedJson::object();
  for (const auto& [type, group] : summary.by_type) {
    tensors[type] = {{"count", group.tensors}, {"bytes", group.bytes}};
  }
  OrderedJson fallbacks = OrderedJson::array();
  for (const QuantizeSummary::Fallback& fallback : summary.fallbacks) {
    fallbacks.push_back({{"tensor", fallback.name},
                         {"columns", fallback.columns},
                         {"wanted", WeightTypeName(fallback.wanted)},
                         {"written", WeightTypeName(fallback.written)}});
  }
  const OrderedJson out = {{"input", flags.input},
                           {"output", flags.out},
                           {"type", WeightTypeName(*WeightTypeFromName(flags.type))},
                           {"parameters", summary.parameters},
                           {"bytes_in", summary.bytes_in},
                           {"bytes_out", summary.bytes_out},
                           {"tensors", tensors},
                           {"fallbacks", fallbacks},
                           {"notes", notes},
                           {"seconds", seconds}};
  fmt::print("{}\n", ToText(out, 2));
}

void PrintText(const QuantizeFlags& flags, const QuantizeSummary& summary,
               const std::vector<std::string>& notes, double seconds) {
  const auto in = static_cast<int64_t>(summary.bytes_in);
  const auto out = static_cast<int64_t>(summary.bytes_out);
  fmt::print("{}: {} from {}, {} parameters, {:.2f} bits each, in {:.1f} s\n", flags.out,
             FormatBytes(out), FormatBytes(in), summary.parameters,
             8.0 * static_cast<double>(out) / static_cast<double>(summary.parameters), seconds);
  for (const auto& [type, group] : summary.by_type) {
    fmt::print("  {:<5} {:>5} tensors  {:>10}\n", type, group.tensors, FormatBytes(group.bytes));
  }
  for (const std::string& line : DescribeFallbacks(summary)) fmt::print("note: {}\n", line);
  for (const std::string& note : notes) fmt::print("note: {}\n", note);
}

int RunQuantize(const QuantizeFlags& flags) {
  const SystemClock clock;
  const TimePoint start = clock.Now();
  Result<ModelSource> source = OpenSource(flags);
  if (!source.ok()) return Fail(source.status());
  const std::vector<std::string> notes = source->notes;
  const SignalGuard guard;
  std::optional<ProgressBar> bar;
  QuantizeOptions options;
  options.type = *WeightTypeFromName(flags.type);
  options.num_threads = flags.threads > 0 ? flags.threads : UsableCores();
  options.cancelled = [] { return g_interrupted != 0; };
  options.progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("writing " + flags.out, total, clock);
    bar->Update(done);
  };
  const Result<QuantizeSummary> summary = Quantize(std::move(source).value(), flags.out, options);
  bar.reset();
  if (!summary.ok()) return Fail(summary.status());
  const double seconds = std::chrono::duration<double>(clock.Now() - start).count();
  (flags.json ? PrintJson : PrintText)(flags, *summary, notes, seconds);
  return kExitOk;
}

std::string CheckType(const std::string& name) {
  if (WeightTypeFromName(name)) return "";
  // Names of mixtures that users know from elsewhere.
  const bool mixture = name.size() > 4 && WeightTypeFromName(name.substr(0, 4));
  return fmt::format("type \"{}\" is none of {}{}", name, fmt::join(WeightTypeNames(), ", "),
                     mixture ? "; nearest is " + name.substr(0, 4) : "");
}

std::string CheckPre(const std::string& name) {
  if (FindPretokenizerFamily(name) != nullptr) return "";
  return fmt::format("\"{}\" is none of {}", name, SupportedPretokenizers());
}

}  // namespace

void RegisterQuantize(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "quantize",
      "Write a model as GGUF in another type: from GGUF, or from a Hugging Face folder");
  auto flags = std::make_shared<QuantizeFlags>();
  command
      ->add_option("input", flags->input,
                   "a GGUF file with F32, F16 or BF16 weights, or a folder with config.json, "
                   "safetensors and a tokenizer")
      ->required();
  command->add_option("output,-o,--out", flags->out, "GGUF file to write; replaced if it is there")
      ->required();
  command
      ->add_option("--type", flags->type,
                   "type of the matrices: q8_0, q4_k, f16, bf16, f32, ...; norms and biases stay "
                   "F32, and below six bits the output matrix becomes Q6_K")
      ->required()
      ->check(CheckType);
  command
      ->add_option("--pre", flags->pre,
                   "how the tokenizer cuts text into words, where a folder's files do not say so "
                   "in a way that is known (tokenizer.ggml.pre)")
      ->check(CheckPre);
  command->add_option("--threads", flags->threads, "0: as many as there are cores")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command->add_flag("--json", flags->json, "a summary as JSON");
  command->footer(
      "Examples:\n"
      "  aio quantize model-f16.gguf model-q8_0.gguf --type q8_0\n"
      "  aio quantize Qwen2.5-1.5B-Instruct/ --out qwen2.5-1.5b-q4_k.gguf --type q4_k");
  command->callback([flags, &exit_status] { exit_status = RunQuantize(*flags); });
}

}  // namespace aio
