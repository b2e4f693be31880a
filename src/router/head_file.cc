#include "router/head_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/toml_table.h"
#include "router/probe.h"

namespace aio {
namespace {

constexpr int kLayersMax = 1 << 16;
constexpr int kHiddenSizeMax = 1 << 20;
constexpr double kWeightMax = 1e9;

uint64_t ReadHex(TomlTable& table, std::string_view key) {
  table.Require(key);
  const std::string text = table.String(key).value_or("0");
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) {
    table.Fail(key, "must be a hexadecimal number of at most 16 digits");
  }
  return value;
}

void ReadHead(TomlTable& root, ProbeHead& head) {
  root.Require("head");
  std::optional<TomlTable> table = root.Table("head");
  if (!table) return;
  for (const char* key : {"layers", "hidden_size", "window_tokens"}) table->Require(key);
  head.layers = table->Int("layers", 0, kLayersMax).value_or(0);
  head.hidden_size = table->Int("hidden_size", 1, kHiddenSizeMax).value_or(1);
  head.window_tokens = table->Int("window_tokens", 1, 1 << 20).value_or(1);
}

void ReadModel(TomlTable& root, HeadFile& file) {
  root.Require("model");
  std::optional<TomlTable> table = root.Table("model");
  if (!table) return;
  table->Require("name");
  table->Require("num_layers");
  file.model = table->String("name").value_or("");
  file.num_layers = table->Int("num_layers", 1, kLayersMax).value_or(1);
  if (file.num_layers < file.head.layers) {
    table->Fail("num_layers", fmt::format("is less than head.layers, {}", file.head.layers));
  }
  file.vocabulary_fingerprint = ReadHex(*table, "vocabulary");
  file.model_fingerprint = table->String("fingerprint").value_or("");
}

void ReadEvidence(TomlTable& root, HeadEvidence& evidence) {
  std::optional<TomlTable> table = root.Table("evidence");
  if (!table) return;
  for (const char* key : {"date", "rows", "accuracy"}) table->Require(key);
  evidence.date = table->String("date").value_or("");
  evidence.rows = table->Int("rows", 0, std::numeric_limits<int>::max()).value_or(0);
  evidence.accuracy = table->Number("accuracy", 0, 1).value_or(0);
}

void ReadLabel(TomlTable& table, HeadFile& file) {
  for (const char* key : {"name", "bias", "weights"}) table.Require(key);
  file.labels.push_back(table.String("name").value_or(""));
  file.head.bias.push_back(
      static_cast<float>(table.Number("bias", -kWeightMax, kWeightMax).value_or(0)));
  const std::vector<double> weights =
      table.Numbers("weights", -kWeightMax, kWeightMax).value_or(std::vector<double>());
  if (static_cast<int>(weights.size()) != file.head.hidden_size) {
    table.Fail("weights", fmt::format("must be as many as head.hidden_size, {}, are {}",
                                      file.head.hidden_size, weights.size()));
  }
  for (const double weight : weights) file.head.weights.push_back(static_cast<float>(weight));
}

std::vector<LabelQuery::Label> WithoutWords(const std::vector<std::string>& names) {
  std::vector<LabelQuery::Label> labels;
  labels.reserve(names.size());
  for (const std::string& name : names) labels.push_back({.name = name, .word = ""});
  return labels;
}

// The same head with labels in another order: label i of the result was label order[i].
ProbeHead Reorder(const ProbeHead& head, const std::vector<size_t>& order) {
  ProbeHead reordered = head;
  const auto size = static_cast<size_t>(head.hidden_size);
  for (size_t i = 0; i < order.size(); ++i) {
    reordered.bias[i] = head.bias[order[i]];
    std::copy_n(head.weights.begin() + static_cast<ptrdiff_t>(order[i] * size), size,
                reordered.weights.begin() + static_cast<ptrdiff_t>(i * size));
  }
  return reordered;
}

// A basic string, whatever is in it.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

Result<HeadFile> HeadFileFromToml(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(text, source));
  HeadFile file;
  root.Require("version");
  root.Int("version", 1, 1);
  ReadHead(root, file.head);
  ReadModel(root, file);
  ReadEvidence(root, file.evidence);
  root.Require("label");
  for (TomlTable& table : root.Tables("label")) ReadLabel(table, file);
  LabelQuery query;
  query.labels = WithoutWords(file.labels);
  if (const Status status = CheckLabelNames(query); !status.ok()) {
    root.Fail("label", status.message());
  }
  AIO_RETURN_IF_ERROR(root.Finish());
  if (Status status = CheckProbeHead(file.head); !status.ok()) {
    return std::move(status).WithContext(source);
  }
  return file;
}

Result<HeadFile> ReadHeadFile(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return HeadFileFromToml(text, path);
}

std::string ToToml(const HeadFile& file) {
  std::string text = fmt::format(
      "# A probe head: what the small model's hidden states say a prompt is about.\n"
      "version = 1\n\n[head]\nlayers = {}\nhidden_size = {}\nwindow_tokens = {}\n",
      file.head.layers, file.head.hidden_size, file.head.window_tokens);
  text += fmt::format("\n[model]\nname = {}\nnum_layers = {}\nvocabulary = \"{:016x}\"\n",
                      Quoted(file.model), file.num_layers, file.vocabulary_fingerprint);
  if (!file.model_fingerprint.empty()) {
    text += fmt::format("fingerprint = {}\n", Quoted(file.model_fingerprint));
  }
  if (!file.evidence.date.empty()) {
    text += fmt::format("\n[evidence]\ndate = {}\nrows = {}\naccuracy = {}\n",
                        Quoted(file.evidence.date), file.evidence.rows, file.evidence.accuracy);
  }
  for (size_t label = 0; label < file.labels.size(); ++label) {
    const auto weights =
        std::span(file.head.weights)
            .subspan(label * static_cast<size_t>(file.head.hidden_size), file.head.hidden_size);
    // The shortest decimals that read back to the same floats.
    text +=
        fmt::format("\n[[label]]\nname = {}\nbias = {}\nweights = [{}]\n",
                    Quoted(file.labels[label]), file.head.bias[label], fmt::join(weights, ", "));
  }
  return text;
}

Status CheckHeadIsFor(const HeadFile& file, const ModelInfo& model) {
  std::string difference;
  if (model.hidden_size != 0 && model.hidden_size != file.head.hidden_size) {
    difference = fmt::format("hidden size {}, not {}", file.head.hidden_size, model.hidden_size);
  } else if (model.num_layers != 0 && model.num_layers != file.num_layers) {
    difference = fmt::format("{} layers, not {}", file.num_layers, model.num_layers);
  } else if (model.vocabulary_fingerprint != 0 &&
             model.vocabulary_fingerprint != file.vocabulary_fingerprint) {
    difference = "another vocabulary";
  } else if (!file.model_fingerprint.empty() && !model.fingerprint.empty() &&
             file.model_fingerprint != model.fingerprint) {
    difference = "other weights";
  }
  if (difference.empty()) return Status::Ok();
  return InvalidArgument(
      fmt::format("the probe head was fitted on \"{}\" with {}; it means nothing to \"{}\": fit "
                  "one on that (aio calibrate --head)",
                  file.model, difference, model.name));
}

Status AttachHead(const HeadFile& file, LabelQuery& query) {
  if (query.labels.empty()) query.labels = WithoutWords(file.labels);
  std::vector<size_t> order;
  order.reserve(query.labels.size());
  for (const LabelQuery::Label& label : query.labels) {
    const auto found = std::find(file.labels.begin(), file.labels.end(), label.name);
    order.push_back(static_cast<size_t>(found - file.labels.begin()));
  }
  const bool all_known =
      std::all_of(order.begin(), order.end(), [&](size_t i) { return i < file.labels.size(); });
  if (!all_known || order.size() != file.labels.size()) {
    return InvalidArgument(
        fmt::format("the labels of the probe and of its head differ; the head "
                    "has: {}",
                    fmt::join(file.labels, ", ")));
  }
  query.head = std::make_shared<const ProbeHead>(Reorder(file.head, order));
  return CheckLabelQuery(query);
}

}  // namespace aio
