// The comparison of `aio verify`: random requests, answered plainly and alone, then in every other
// way that must not make a difference.
//
// The reference answer is decoded plainly, alone, by one thread, with nothing shared. Then each
// strategy answers the same request alone, and in a batch with other requests to all models; the
// engines for that, of several settings, take turns. One more answer goes on from a probe's prompt.
#ifndef AIO_APP_VERIFY_H_
#define AIO_APP_VERIFY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/strategy_runs.h"
#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/embedded_model.h"

namespace aio {

struct VerifyOptions {
  uint64_t seed = 1;
  int requests = 200;  // a model
  int only = -1;       // a request's number: only this one and those it shares batches with
  int threads = 2;     // of the engines that have several
  KvType kv_type = KvType::kF16;
  LabelQuery probe;  // where a model cannot tell the labels apart, others take their place
  std::vector<std::vector<ChatMessage>> prompts;  // to draw from, beside what is built in
};

// An engine in which answers must be the reference's. The first of VerifySettings() gives the
// reference.
struct VerifySetting {
  std::string name;
  EngineOptions options;
  bool runs_alone = false;    // requests one at a time
  bool is_timed = false;      // then also for speed
  bool runs_batches = false;  // many at once
  bool runs_probe = false;
};
std::vector<VerifySetting> VerifySettings(const VerifyOptions& options);

struct VerifyDivergence {
  int request = 0;  // its number, for VerifyOptions::only
  std::string strategy;
  std::string setting;  // "2 threads, alone"
  std::string description;
  Difference difference;
};

// One strategy on one model.
struct VerifyCounts {
  std::string model;
  std::string strategy;  // or "after a probe"
  int64_t comparisons = 0;
  int64_t divergences = 0;
  int64_t not_applicable = 0;  // refused: the model has no draft model
  int64_t draft_tokens = 0;
  int64_t draft_accepted_tokens = 0;
  // Alone, with the strategy's default parameters, each request's strategies in turn:
  int64_t decoded_tokens = 0;
  double decode_ms = 0;
  double plain_decode_ms = 0;  // of the same requests

  double acceptance() const;         // 0 without drafts
  double tokens_per_second() const;  // 0: not timed
  double speed_over_plain() const;   // likewise
};

struct VerifyReport {
  std::vector<VerifyCounts> counts;
  std::vector<VerifyDivergence> divergences;  // the first kDivergencesKept
  int64_t preemptions = 0;
  int64_t prefix_tokens_found = 0;

  static constexpr size_t kDivergencesKept = 20;

  int64_t comparisons() const;
  int64_t num_divergences() const;
};

// Starts an engine over the models that are verified.
using BackendFactory = std::function<Result<std::unique_ptr<Backend>>(const VerifySetting&)>;

struct VerifyObserver {
  std::function<void(int64_t done, int64_t total)> on_progress;  // may be empty, as the next
  std::function<void(const VerifyDivergence&)> on_divergence;    // called for those kept
};

// Fails only when the comparison cannot be made.
Result<VerifyReport> VerifyModels(const std::vector<EmbeddedModel>& models,
                                  const VerifyOptions& options, const BackendFactory& start,
                                  const VerifyObserver& observer, const Clock& clock);

}  // namespace aio

#endif  // AIO_APP_VERIFY_H_
