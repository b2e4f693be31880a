// What routing policies are worth on labelled queries, with the accuracies and speeds of an arm
// table: accuracy against an oracle router, which knows each query's task, and tokens per second.
//
// The loss of a query is the oracle arm's accuracy less that of the arm it was sent to, in
// percentage points: never negative. Labels count by a mix, whatever their numbers of queries.
#ifndef AIO_EVAL_ROUTING_STUDY_H_
#define AIO_EVAL_ROUTING_STUDY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/study_arms.h"

namespace aio {

struct StudyQuery {
  int label = 0;                      // the right one
  int group = 0;                      // of StudyArms::groups
  std::vector<double> probabilities;  // [labels], of the probe, calibrated or not
  double entropy = 0;                 // nats
  int prompt_tokens = 0;
};

// One policy that could be chosen.
struct RoutingCandidate {
  enum class Kind {
    kRules,    // labels in `small` go to the small model if short and sure; the rest to the large
    kUtility,  // argmax of expected accuracy less lambda times the expected time
  };
  Kind kind = Kind::kRules;
  std::vector<bool> small;  // [labels], of kRules
  double entropy_max = 0;   // nats, of kRules: tau
  double lambda = 0;        // points a second, of kUtility
  int answer_tokens = 256;  // of kUtility: what the time is expected for

  std::string Name(const std::vector<std::string>& labels) const;  // "code small, tau 0.45"
};

// The arm each query goes to, and all arms that the policy could have sent one to.
struct Routes {
  std::vector<int> arms;    // [queries]
  std::vector<int> usable;  // distinct
};

Routes RouteCandidate(const RoutingCandidate& candidate, const StudyArms& arms,
                      const std::vector<StudyQuery>& queries);
Routes RoutePolicy(const RoutingPolicy& policy, const StudyArms& arms,
                   const std::vector<StudyQuery>& queries);
Routes RouteOracle(const StudyArms& arms, const std::vector<StudyQuery>& queries);
Routes RouteStatic(int arm, size_t queries);

struct LabelLoss {
  int queries = 0;
  int losing = 0;         // of them, sent to an arm worse than the oracle's
  double loss = 0;        // mean, points
  double loss_upper = 0;  // this label's part of the bound, before the mix
};

enum class BoundMethod {
  kClopperPearson,  // exact, whatever the sample; joint over labels and sizes of loss (Bonferroni)
  kBootstrap,       // resampling; blind where no loss was seen
};
std::string_view BoundMethodName(BoundMethod method);  // "clopper-pearson", "bootstrap"

struct StudyOptions {
  std::vector<double> mix;  // [labels], sums to 1
  double confidence = 0.95;
  BoundMethod method = BoundMethod::kClopperPearson;
};

struct RoutingFigures {
  double accuracy = 0;                // percent, expected from the table
  double loss = 0;                    // points
  double loss_upper = 0;              // one-sided, at the confidence asked
  double tokens_per_second = 0;       // tokens over time for answers of equal length: harmonic
  double tokens_per_second_mean = 0;  // arithmetic mean over requests, as the paper has it
  double small_share = 0;             // of requests
  std::vector<LabelLoss> labels;
};

RoutingFigures Evaluate(const Routes& routes, const StudyArms& arms,
                        const std::vector<StudyQuery>& queries, const StudyOptions& options);

// Held-out queries a label that the bound `loss_max` needs, all labels growing alike.
struct RowsNeeded {
  std::optional<int> if_never_wrong;  // were no query to lose anything
  std::optional<int> at_rates_seen;   // absent: no number will do (or more than a million)
};
RowsNeeded FindRowsNeeded(const Routes& routes, const StudyArms& arms,
                          const std::vector<StudyQuery>& queries, const StudyOptions& options,
                          double loss_max);

}  // namespace aio

#endif  // AIO_EVAL_ROUTING_STUDY_H_
