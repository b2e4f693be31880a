// The probe: template-driven single-token semantic profiling (arXiv 2604.09752). The
// request is put into a classification template, the small model does one forward pass,
// and the distribution over the labels' first tokens says what the request is about.
//
// The template goes after the user's text, so that the prompt's KV computed here can be
// used to generate the answer (ProbeResult::held_prompt).
//
// Or a learned head (backend/probe_head.h) reads what the small model makes of the text itself.
// That takes no template, and says of every window of the text what it is about.
#ifndef AIO_ROUTER_PROBE_H_
#define AIO_ROUTER_PROBE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "router/intent_distribution.h"
#include "router/second_look.h"

namespace aio {

class TomlTable;

// At least two labels with distinct plain names ...
Status CheckLabelNames(const LabelQuery& labels);
// ... and, without a head, distinct words, none empty.
Status CheckLabelQuery(const LabelQuery& labels);

// Of fewer tokens there is little to see.
inline constexpr int kProbeWindowTokensMin = 64;

// A probe's configuration, which belongs to a model: template and words are in its
// language. Of a file's own text ...
//
//   version = 1
//   [probe]
//   prefix = "..."   # may be left out
//   suffix = "..."
//   labels = [{ name = "code", word = "code" }, { name = "qa", word = "question" }]
//   window_tokens = 1024   # may be left out: 0, all of the conversation
//   head = "head.toml"     # a head's file instead: suffix and labels may be left out
//   head_early_exit = true # may be left out: false; see LabelQuery::early_exit
//
// Errors name `source`, line, key and mend; unknown keys are errors.
Result<LabelQuery> ProbeConfigFromToml(std::string_view text, const std::string& source);
// ... or of the [probe] table of a larger document; faults come out of its Finish(). The value of
// `head` is the caller's to read and to attach (head_file.h).
LabelQuery ReadProbeConfig(TomlTable& probe);
// The table "defences" of the [probe] table, which may be left out: none.
//
//   [probe.defences]
//   form = true
//   parts = true
//   [probe.defences.second_template]   # as [probe]; the same labels' names in the same order
ProbeDefences ReadProbeDefences(TomlTable& probe, const LabelQuery& labels);

struct ProbeResult {
  IntentDistribution intent;                      // not calibrated
  std::vector<float> logits;                      // [intent.labels], which it was made from
  std::vector<std::vector<float>> window_logits;  // see LabelScores
  std::shared_ptr<HeldPrompt> held_prompt;        // may be null
  std::vector<std::string> doubts;                // of a second look; empty: none, or not taken
  Traffic traffic;                                // of both looks
  double elapsed_ms = 0;  // from Start() to the last scores, by the probe's clock
};

// Immutable, hence thread-safe; copies share their state. What was started goes on if the
// Probe is destroyed.
class Probe {
 public:
  using Callback = std::function<void(Result<ProbeResult>)>;

  // The label that a second look must find everywhere; absent: none is needed. Thread-safe.
  using Claim = std::function<std::optional<std::string>(const ProbeResult&)>;

  // `backend` (where the probing model lives) and `clock` outlive the last callback.
  Probe(Backend& backend, LabelQuery labels, const Clock& clock);
  // Takes a second look wherever there is a claim to check.
  Probe(Backend& backend, LabelQuery labels, const Clock& clock, ProbeDefences defences,
        Claim claim);

  const LabelQuery& labels() const { return state_->labels; }

  // One forward pass over `request.prompt` by `request.model`, and what the defences take. The
  // calling rule is that of Backend::ScoreLabels(): a returned fault means that `done` is never
  // called; otherwise it is called once, from the backend's thread or from inside this call.
  Result<std::shared_ptr<Ticket>> Start(const Request& request, Callback done) const;

 private:
  struct State {
    Backend& backend;
    LabelQuery labels;
    std::vector<std::string> names;  // of the labels
    const Clock& clock;
    ProbeDefences defences;
    Claim claim;
  };
  static Result<ProbeResult> ToResult(const State& state, Result<LabelScores> scores,
                                      TimePoint start);
  Result<std::shared_ptr<Ticket>> StartDefended(const Request& request, Callback done) const;

  std::shared_ptr<const State> state_;
};

}  // namespace aio

#endif  // AIO_ROUTER_PROBE_H_
