#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/json_text.h"
#include "app/check_file_weights.h"
#include "app/commands.h"
#include "app/system_memory.h"
#include "formats/gguf.h"
#include "formats/gguf_fingerprint.h"
#include "formats/quote.h"
#include "model/kv_cache.h"
#include "model/model.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace aio {

namespace {

struct InspectFlags {
  std::string path;
  bool tensors = false;
  bool weights = false;
  bool json = false;
};

std::string DimsToString(const std::vector<uint64_t>& dims) {
  return fmt::format("[{}]", fmt::join(dims, ", "));
}

// A name from the file, safe to print: quoted and escaped only where it must be.
std::string Printable(std::string_view name) {
  const std::string quoted = QuoteForMessage(name, /*max_bytes=*/200);
  const bool plain = quoted.size() == name.size() + 2 && quoted.substr(1, name.size()) == name;
  return plain ? std::string(name) : quoted;
}

// What would run the file, or why nothing here can: one line each for people, a string or
// an error for machines.
struct Verdict {
  std::string model;
  std::string tokenizer;
  std::string chat_template;
  OrderedJson footprint;  // null when the model cannot run
};

Verdict Judge(const std::shared_ptr<const GgufFile>& file) {
  Verdict verdict;
  const auto tokenizer = Tokenizer::Load(*file);
  verdict.tokenizer = tokenizer.ok() ? fmt::format("{}, {} tokens", (*tokenizer)->kind(),
                                                   (*tokenizer)->vocabulary_size())
                                     : "cannot run: " + tokenizer.status().message();
  const auto chat_template = ChatTemplate::FromGguf(*file);
  verdict.chat_template = chat_template.ok() ? std::string(chat_template->family())
                                             : "none: " + chat_template.status().message();
  const auto model = Summarize(*file);
  if (!model.ok()) {
    verdict.model = "cannot run: " + model.status().message();
    return verdict;
  }
  const ModelConfig& config = model->config;
  const auto kv_token = [&](KvType type) {
    return KvCache::BlockBytes(config, type) / KvCache::kBlockTokens;
  };
  verdict.model =
      fmt::format("{}, {} layers, hidden {}, {}/{} heads of {}, context {}", config.architecture,
                  config.num_layers, config.hidden_size, config.num_heads, config.num_kv_heads,
                  config.head_size, config.context_length);
  verdict.footprint = {
      {"parameters", model->parameters},
      {"weight_bytes", model->weight_bytes},
      {"bytes_read_per_token", model->bytes_per_token},
      {"kv_bytes_per_token_f16", kv_token(KvType::kF16)},
      {"kv_bytes_full_context_f16", kv_token(KvType::kF16) * config.context_length}};
  if (KvTypeHolds(KvType::kQ8_0, config.head_size)) {
    verdict.footprint["kv_bytes_per_token_q8_0"] = kv_token(KvType::kQ8_0);
  }
  return verdict;
}

void PrintText(const GgufFile& file, const Verdict& verdict, bool list_tensors) {
  fmt::print("{}: GGUF v{}, {}\n\nmetadata\n", file.path(), file.version(),
             FormatBytes(static_cast<int64_t>(file.file_size())));
  for (const GgufKeyValue& entry : file.metadata()) {
    fmt::print("  {:<42} {}\n", Printable(entry.key), file.Describe(entry.value));
  }
  struct Group {
    int64_t count = 0, bytes = 0;
    bool runnable = false;
  };
  std::map<std::string, Group> by_type;
  for (const GgufTensor& tensor : file.tensors()) {
    Group& group = by_type[std::string(TensorTypeName(tensor.type))];
    ++group.count;
    group.bytes += static_cast<int64_t>(tensor.data.size());
    group.runnable = IsRunnableTensorType(tensor.type);
  }
  fmt::print("\ntensors\n");
  for (const auto& [type, group] : by_type) {
    fmt::print("  {:<8} {:>5} tensors  {:>10}{}\n", type, group.count, FormatBytes(group.bytes),
               group.runnable ? "" : "   (cannot be run)");
  }
  if (list_tensors) {
    for (const GgufTensor& tensor : file.tensors()) {
      fmt::print("    {:<40} {:<6} {:<20} {:>10}\n", Printable(tensor.name),
                 TensorTypeName(tensor.type), DimsToString(tensor.dims),
                 FormatBytes(static_cast<int64_t>(tensor.data.size())));
    }
  }
  fmt::print("\nmodel          {}\ntokenizer      {}\nchat template  {}\nfingerprint    {}\n",
             verdict.model, verdict.tokenizer, verdict.chat_template, GgufFingerprint(file));
  if (verdict.footprint.is_null()) return;
  const auto bytes = [&](const char* key) {
    return FormatBytes(verdict.footprint[key].get<int64_t>());
  };
  fmt::print(
      "\nmemory\n  weights              {:>10}   {} parameters\n"
      "  read per token       {:>10}\n  KV per token (F16)   {:>10}\n"
      "  KV of a full context {:>10}\n",
      bytes("weight_bytes"), verdict.footprint["parameters"].get<int64_t>(),
      bytes("bytes_read_per_token"), bytes("kv_bytes_per_token_f16"),
      bytes("kv_bytes_full_context_f16"));
}

void PrintJson(const GgufFile& file, const Verdict& verdict) {
  OrderedJson out = {{"path", file.path()},
                     {"version", file.version()},
                     {"file_bytes", file.file_size()},
                     {"model", verdict.model},
                     {"tokenizer", verdict.tokenizer},
                     {"chat_template", verdict.chat_template},
                     {"fingerprint", GgufFingerprint(file)},
                     {"memory", verdict.footprint},
                     {"metadata", OrderedJson::object()},
                     {"tensors", OrderedJson::array()}};
  for (const GgufKeyValue& entry : file.metadata()) {
    out["metadata"][std::string(entry.key)] = file.Describe(entry.value);
  }
  for (const GgufTensor& tensor : file.tensors()) {
    out["tensors"].push_back({{"name", tensor.name},
                              {"type", TensorTypeName(tensor.type)},
                              {"dims", tensor.dims},
                              {"bytes", tensor.data.size()},
                              {"runnable", IsRunnableTensorType(tensor.type)}});
  }
  fmt::print("{}\n", ToText(out, 2));
}

int RunInspect(const InspectFlags& flags) {
  const auto file = GgufFile::Open(flags.path);
  if (!file.ok()) return Fail(file.status());
  if (flags.weights) {
    const Status weights = CheckFileWeights(**file, /*threads=*/0);
    if (!weights.ok()) return Fail(weights);
  }
  const Verdict verdict = Judge(*file);
  if (flags.json) {
    PrintJson(**file, verdict);
  } else {
    PrintText(**file, verdict, flags.tensors);
  }
  return kExitOk;
}

}  // namespace

void RegisterInspect(CLI::App& program, int& exit_status) {
  CLI::App* command =
      program.add_subcommand("inspect", "Show a GGUF file: metadata, tensors, memory footprint");
  auto flags = std::make_shared<InspectFlags>();
  command->add_option("file", flags->path, "a GGUF file")->required();
  command->add_flag("--tensors", flags->tensors, "list every tensor");
  command->add_flag("--weights", flags->weights,
                    "read every weight first: one that is NaN or infinite is an error");
  command->add_flag("--json", flags->json, "everything as JSON");
  command->footer("Example:\n  aio inspect models/pocket-small-f16.gguf --tensors");
  command->callback([flags, &exit_status] { exit_status = RunInspect(*flags); });
}

}  // namespace aio
