// The published tables of the A-IO paper as data: data/paper/arxiv-2604.09752.json.
#ifndef AIO_PAPER_PAPER_TABLES_H_
#define AIO_PAPER_PAPER_TABLES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "paper/figure_tables.h"
#include "paper/rounded.h"

namespace aio {

struct PaperSource {
  std::string title, reference, date, url;
};

struct PaperSetting {
  std::string device, software;
  double entropy_max = 0;  // nats
  int calibration_queries = 0;
  int prompt_lookup_max = 0;  // tokens of the n-gram window
  int num_speculative_tokens = 0;
  double draft_model_tps = 0;
};

// A model; its shape is not in the paper but where `shape_source` says.
struct PaperModel {
  std::string name;
  double weights_gb = 0;  // read per token, as published
  int layers = 0;
  int hidden = 0;
  int intermediate = 0;
  int heads = 0;
  int kv_heads = 0;
  int vocabulary = 0;
  std::string shape_source;

  // By the shape, in 16 bits: GB (1e9 bytes) of the weights that a token reads: attention, gated
  // feed-forward network and the output matrix; biases, norms and one row of the embedding are
  // left out.
  double ShapeGb() const;
  // GB of keys and values that a token reads after `context` tokens.
  double KvGb(int context) const;
};

struct PaperTask {
  std::string name;
  std::string intent;
  std::optional<int> items;  // of the data set; absent where accuracy is no count of items
};

// Which configuration the paper's policy sends a request to.
struct PaperPolicyTable {
  Named<std::string> by_intent;  // short prompts, by what the probe says
  std::string long_context;      // whatever the probe says
};

// Decimals that the paper prints.
struct PaperDecimals {
  int accuracy_tps = 0, long_context = 0, scenarios = 0, ablations = 0;
  int confusion_accuracy = 0, overhead_ms = 0, overhead_share = 0;
  int per_token_gb = 0, per_generation_tb = 0;
};

struct PaperLongContext {
  std::string task;
  int short_tokens = 0, long_tokens = 0;
  struct Accuracies {
    double short_context = 0, long_context = 0;  // percent
  };
  Named<Accuracies> accuracy;  // by configuration
};

struct PaperConfusion {
  std::vector<std::string> labels;
  std::vector<std::vector<int64_t>> counts;  // [truth][said]
  double overall_accuracy = 0;               // percent
  double below_oracle_points_max = 0;        // claimed: end to end, less than this is lost
};

// A mix of requests: shares by task, which sum to 1 over both.
struct PaperMix {
  std::string description;
  Named<double> short_context;
  Named<double> long_context;
};

struct PaperOverhead {
  double template_ms = 0, probe_prefill_ms = 0, routing_ms = 0, switch_ms = 0;
  double total_ms = 0;       // as reported
  double generation_ms = 0;  // of the large model, that the share refers to
  double share_pct = 0;
};

struct PaperTraffic {
  int tokens = 0;
  double small_per_token_gb = 0, large_per_token_gb = 0;
  double small_tb = 0, large_tb = 0;  // of a generation of `tokens`
};

struct PaperTables {
  std::string file;
  std::string sha256;
  PaperSource source;
  PaperSetting setting;
  PaperDecimals decimals;
  PaperModel small, large;
  Named<PaperTask> tasks;
  PaperPolicyTable policy;
  FigureTables figures;  // every figure is there
  PaperLongContext long_context;
  PaperConfusion confusion;
  Named<PaperMix> mixes;
  std::string ablation_scenario;
  PaperOverhead overhead;
  PaperTraffic traffic;

  // As printed. The configuration and the task must be ones of the tables.
  Rounded Accuracy(std::string_view configuration, std::string_view task) const;
  Rounded Tps(std::string_view configuration, std::string_view task) const;

  // P(the probe says `said` | the request is of `intent`); 0 for labels that are none.
  double ProbabilitySaid(std::string_view intent, std::string_view said) const;
};

// Strict: every field must be there, those of another name are faults, and what the fields refer
// to (tasks, configurations, labels) must exist. Errors name the file, the field and the mend.
Result<PaperTables> ParsePaperTables(std::string_view text, const std::string& source);

// Those that the program carries.
Result<PaperTables> EmbeddedPaperTables();

}  // namespace aio

#endif  // AIO_PAPER_PAPER_TABLES_H_
