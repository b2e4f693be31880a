// What a routing decision is made from. Plain data: logged with each decision, and what
// replay and simulation decide from anew.
#ifndef AIO_ROUTER_SIGNALS_H_
#define AIO_ROUTER_SIGNALS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "router/intent_distribution.h"

namespace aio {

inline constexpr std::string_view kSmallRole = "small";
inline constexpr std::string_view kLargeRole = "large";

// Whether a prompt and the answer wanted fit into a model's context.
struct ContextNeed {
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  int context_length = 0;  // 0: unknown, counts as large enough

  bool fits() const {
    return context_length == 0 || prompt_tokens + answer_tokens <= context_length;
  }

  friend bool operator==(const ContextNeed&, const ContextNeed&) = default;
};

// How busy a role's model is, and how quick. See ModelLoad.
struct LoadSignals {
  int running = 0;
  int waiting = 0;
  double step_ms = 0;            // of a step that computes one token; 0: not known
  double tokens_per_second = 0;  // of one answer, lately; 0: not known

  friend bool operator==(const LoadSignals&, const LoadSignals&) = default;
};

// What a role can do for this request.
struct RoleSignals {
  ContextNeed context;
  std::vector<std::string> variants;  // weights that are resident beside the role's own
  LoadSignals load;
  int64_t weight_bytes = 0;  // of the role's own weights, which a step reads; 0: not known

  bool HasWeights(std::string_view weights) const;

  friend bool operator==(const RoleSignals&, const RoleSignals&) = default;
};

// Where the conversation that a request goes on with was answered so far.
struct SessionSignals {
  std::string role = {};     // of its last turn; empty: no session, or its first turn
  std::string weights = {};  // likewise
  int turns = 0;             // answered there, one after another
  double confidence = 0;     // PolicyOutcome::confidence of the turn that chose the role

  friend bool operator==(const SessionSignals&, const SessionSignals&) = default;
};

// Whether live requests still look like those the policy was calibrated on.
struct DriftSignals {
  bool drifted = false;
  std::string what = {};  // a few words of ASCII: "entropy mean 0.41, was 0.08"

  friend bool operator==(const DriftSignals&, const DriftSignals&) = default;
};

// How an answer of the small model begins.
struct FirstTokens {
  int tokens = 0;
  double entropy_mean = 0;  // nats, of the distributions the tokens were drawn from

  friend bool operator==(const FirstTokens&, const FirstTokens&) = default;
};

// Everything RoutingPolicy::Decide() may look at.
struct Signals {
  // As the probe's scores say uncalibrated; absent: not probed, because the prompt is too long
  // (alone, or in the probe's template), because of probe_fault, or because the policy does not
  // ask.
  std::optional<IntentDistribution> intent;
  // [intent->labels]: the scores themselves, for policies with a calibration; empty: not known.
  std::vector<float> label_logits;
  int prompt_tokens = 0;                    // as the small model counts them
  std::optional<int> answer_tokens_max;     // the client's own limit (max_tokens)
  std::optional<double> entropy_threshold;  // the client's own tau, replaces every rule's
  std::optional<Strategy> strategy;         // the client's own strategy
  std::optional<std::string> weights;       // the client's own choice; see Request::weights
  RoleSignals small;
  RoleSignals large;
  // Why a probe that was wanted gave nothing, in a few words of ASCII; empty: nothing went
  // wrong. The small model then counts as gone: rules that choose it give the large one.
  std::string probe_fault;
  // Why the intent may not be what it seems: what a second look found, each in a few words of
  // ASCII. Rules may refuse it.
  std::vector<std::string> doubts;
  uint64_t request_hash = 0;  // of the request's id: what `random` draws from
  std::string true_label;     // what the request is about, if known; only `oracle` looks
  SessionSignals session;
  DriftSignals drift;
  // Of a cascade, once the small model has begun; a cascade decides twice.
  std::optional<FirstTokens> first_tokens;

  friend bool operator==(const Signals&, const Signals&) = default;
};

}  // namespace aio

#endif  // AIO_ROUTER_SIGNALS_H_
