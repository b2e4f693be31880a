#include "paper/read_paper_tables.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "paper/figure_tables_json.h"

namespace aio {

namespace {

constexpr int kCountMax = 1'000'000'000;
constexpr int kDecimalsMax = 9;
constexpr double kPercentMax = 100;
constexpr double kMillisecondsMax = 1e9;
constexpr double kGigabytesMax = 1e6;
constexpr double kPositive = 1e-6;  // the least of what is divided by

class PaperReader {
 public:
  PaperReader(const StrictJson& json, FirstFault& fault, PaperTables& tables)
      : root_(json, "", fault), fault_(fault), tables_(tables) {}

  void Read() {
    root_.Int("version", 1, 1);
    ReadSource();
    ReadSetting();
    ReadDecimals();
    StrictObject models = root_.Object("models");
    tables_.small = ReadModel(models.Object("small"));
    tables_.large = ReadModel(models.Object("large"));
    models.Finish();
    ReadTasks();
    ReadPolicy();
    for (const char* key : {"accuracy_tps", "scenarios", "ablations"}) root_.Member(key);
    ReadFigureTables(root_, /*may_be_null=*/false, fault_, tables_.figures);
    ReadLongContext();
    ReadConfusion();
    ReadMixes();
    tables_.ablation_scenario = root_.Text("ablation_scenario");
    ReadOverhead();
    ReadTraffic();
    root_.Finish();
  }

 private:
  void ReadSource() {
    StrictObject object = root_.Object("source");
    tables_.source = {object.Text("title"), object.Text("reference"), object.Text("date"),
                      object.Text("url")};
    object.Finish();
  }

  void ReadSetting() {
    StrictObject object = root_.Object("setting");
    PaperSetting& setting = tables_.setting;
    setting.device = object.Text("device");
    setting.software = object.Text("software");
    setting.entropy_max = object.Number("entropy_max", 0, kPercentMax);
    setting.calibration_queries = object.Int("calibration_queries", 0, kCountMax);
    setting.prompt_lookup_max = object.Int("prompt_lookup_max", 0, kCountMax);
    setting.num_speculative_tokens = object.Int("num_speculative_tokens", 0, kCountMax);
    setting.draft_model_tps = object.Number("draft_model_tps", 0, kMillisecondsMax);
    object.Finish();
  }

  void ReadDecimals() {
    StrictObject object = root_.Object("decimals");
    PaperDecimals& decimals = tables_.decimals;
    const auto read = [&](const char* key) { return object.Int(key, 0, kDecimalsMax); };
    decimals.accuracy_tps = read("accuracy_tps");
    decimals.long_context = read("long_context");
    decimals.scenarios = read("scenarios");
    decimals.ablations = read("ablations");
    decimals.confusion_accuracy = read("confusion_accuracy");
    decimals.overhead_ms = read("overhead_ms");
    decimals.overhead_share = read("overhead_share");
    decimals.per_token_gb = read("per_token_gb");
    decimals.per_generation_tb = read("per_generation_tb");
    object.Finish();
  }

  static PaperModel ReadModel(StrictObject object) {
    constexpr int kSizeMax = 10'000'000;
    PaperModel model;
    model.name = object.Text("name");
    model.weights_gb = object.Number("weights_gb", kPositive, kGigabytesMax);
    model.layers = object.Int("layers", 1, kSizeMax);
    model.hidden = object.Int("hidden", 1, kSizeMax);
    model.intermediate = object.Int("intermediate", 1, kSizeMax);
    model.heads = object.Int("heads", 1, kSizeMax);
    model.kv_heads = object.Int("kv_heads", 1, kSizeMax);
    model.vocabulary = object.Int("vocabulary", 1, kSizeMax);
    model.shape_source = object.Text("shape_source");
    object.Finish();
    return model;
  }

  void ReadTasks() {
    root_.ForEach("tasks",
                  [&](const std::string& name, const StrictJson& json, const std::string& path) {
                    StrictObject object(json, path, fault_);
                    PaperTask task{object.Text("name"), object.Text("intent"), std::nullopt};
                    if (object.Has("items")) task.items = object.Int("items", 1, kCountMax);
                    object.Finish();
                    tables_.tasks.emplace_back(name, std::move(task));
                  });
  }

  void ReadPolicy() {
    StrictObject object = root_.Object("policy");
    root_.ForEach("policy", [&](const std::string& name, const StrictJson&, const std::string&) {
      if (name != "long") tables_.policy.by_intent.emplace_back(name, object.Text(name));
    });
    tables_.policy.long_context = object.Text("long");
    object.Finish();
  }

  void ReadLongContext() {
    StrictObject object = root_.Object("long_context");
    PaperLongContext& context = tables_.long_context;
    context.task = object.Text("task");
    context.short_tokens = object.Int("short_tokens", 1, kCountMax);
    context.long_tokens = object.Int("long_tokens", 1, kCountMax);
    object.ForEach("accuracy",
                   [&](const std::string& name, const StrictJson& json, const std::string& path) {
                     if (!IsStrictList(json, path, 2, fault_)) return;
                     context.accuracy.emplace_back(
                         name, PaperLongContext::Accuracies{
                                   StrictNumber(json[0], path + "[0]", 0, kPercentMax, fault_),
                                   StrictNumber(json[1], path + "[1]", 0, kPercentMax, fault_)});
                   });
    object.Finish();
  }

  void ReadConfusion() {
    StrictObject object = root_.Object("confusion");
    PaperConfusion& confusion = tables_.confusion;
    confusion.labels = object.Texts("labels");
    const size_t size = confusion.labels.size();
    if (size == 0) fault_.Set("confusion.labels", "must name at least one label");
    const StrictJson& rows = object.Member("counts");
    if (IsStrictList(rows, "confusion.counts", size, fault_)) {
      for (size_t i = 0; i < size; ++i) ReadCounts(rows[i], i, size);
    }
    confusion.overall_accuracy = object.Number("overall_accuracy", 0, kPercentMax);
    confusion.below_oracle_points_max = object.Number("below_oracle_points_max", 0, kPercentMax);
    object.Finish();
  }

  void ReadCounts(const StrictJson& row, size_t index, size_t size) {
    const std::string path = fmt::format("confusion.counts[{}]", index);
    if (!IsStrictList(row, path, size, fault_)) return;
    std::vector<int64_t> counts(size);
    int64_t sum = 0;
    for (size_t j = 0; j < size; ++j) {
      const double count =
          StrictNumber(row[j], fmt::format("{}[{}]", path, j), 0, kCountMax, fault_);
      if (count != std::floor(count)) fault_.Set(fmt::format("{}[{}]", path, j), "must be a count");
      counts[j] = static_cast<int64_t>(count);
      sum += counts[j];
    }
    if (sum == 0) fault_.Set(path, "must count at least one query");
    tables_.confusion.counts.push_back(std::move(counts));
  }

  void ReadMixes() {
    root_.ForEach("mixes", [&](const std::string& name, const StrictJson& json,
                               const std::string& path) {
      StrictObject object(json, path, fault_);
      PaperMix mix;
      mix.description = object.Text("description");
      double sum = 0;
      for (const auto& [key, shares] :
           {std::pair{"short", &mix.short_context}, std::pair{"long", &mix.long_context}}) {
        if (!object.Has(key)) continue;
        object.ForEach(key, [&, shares = shares](const std::string& task, const StrictJson& share,
                                                 const std::string& at) {
          shares->emplace_back(task, StrictNumber(share, at, 0, 1, fault_));
          sum += shares->back().second;
        });
      }
      object.Finish();
      if (std::abs(sum - 1) > 1e-9) {
        fault_.Set(path, fmt::format("the shares sum to {:g}; make it 1", sum));
      }
      tables_.mixes.emplace_back(name, std::move(mix));
    });
  }

  void ReadOverhead() {
    StrictObject object = root_.Object("overhead");
    PaperOverhead& overhead = tables_.overhead;
    const auto read = [&](const char* key, double low) {
      return object.Number(key, low, kMillisecondsMax);
    };
    overhead.template_ms = read("template_ms", 0);
    overhead.probe_prefill_ms = read("probe_prefill_ms", 0);
    overhead.routing_ms = read("routing_ms", 0);
    overhead.switch_ms = read("switch_ms", 0);
    overhead.total_ms = read("total_ms", kPositive);
    overhead.generation_ms = read("generation_ms", kPositive);
    overhead.share_pct = object.Number("share_pct", 0, kPercentMax);
    object.Finish();
    tables_.figures.overhead = {
        {"template_ms", overhead.template_ms}, {"probe_prefill_ms", overhead.probe_prefill_ms},
        {"routing_ms", overhead.routing_ms},   {"switch_ms", overhead.switch_ms},
        {"total_ms", overhead.total_ms},       {"share_pct", overhead.share_pct}};
  }

  void ReadTraffic() {
    StrictObject object = root_.Object("traffic");
    PaperTraffic& traffic = tables_.traffic;
    traffic.tokens = object.Int("tokens", 1, kCountMax);
    StrictObject token = object.Object("per_token_gb");
    traffic.small_per_token_gb = token.Number("small", kPositive, kGigabytesMax);
    traffic.large_per_token_gb = token.Number("large", kPositive, kGigabytesMax);
    token.Finish();
    StrictObject generation = object.Object("per_generation_tb");
    traffic.small_tb = generation.Number("small", kPositive, kGigabytesMax);
    traffic.large_tb = generation.Number("large", kPositive, kGigabytesMax);
    generation.Finish();
    object.Finish();
  }

  StrictObject root_;
  FirstFault& fault_;
  PaperTables& tables_;
};

}  // namespace

void ReadPaperTables(const StrictJson& json, FirstFault& fault, PaperTables& tables) {
  PaperReader(json, fault, tables).Read();
}

}  // namespace aio
