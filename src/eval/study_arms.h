// A table of arms, resolved for the queries at hand.
#ifndef AIO_EVAL_STUDY_ARMS_H_
#define AIO_EVAL_STUDY_ARMS_H_

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/arm_table.h"
#include "router/routing_policy.h"

namespace aio {

// Queries that are alike for an arm table: of one label and one task.
struct StudyGroup {
  int label = 0;
  std::string task;

  friend bool operator==(const StudyGroup&, const StudyGroup&) = default;
};

struct StudyArms {
  std::vector<Arm> arms;
  std::vector<std::string> labels;
  std::vector<StudyGroup> groups;
  std::vector<std::vector<double>> accuracy;           // [groups][arms], percent
  std::vector<std::vector<double>> tokens_per_second;  // [groups][arms]
  // Of the label as a whole: what a policy, which knows no tasks, goes by. [labels][arms]
  std::vector<std::vector<double>> label_accuracy;
  std::vector<std::vector<double>> label_speed;
  std::vector<std::vector<std::optional<double>>> label_accuracy_long;  // [labels][arms]
  std::vector<double> speed;  // [arms]: tokens over time for the mix of labels
  int long_tokens = 2048;

  // The arm an oracle would take, being told the group: the most accurate, the faster of equals.
  int Best(int group) const;
  // Of the arms of `role`, the best for a label; -1 if the role has none.
  int BestOfRole(int label, std::string_view role) const;
  // Of the arms of `role`, the best for prompts that are too long to be probed: the most accurate
  // over all labels, in long prompts where that was measured; -1 if the role has none.
  int BestUnprobed(std::string_view role) const;
  // The role's plain arm on its own weights, else its first.
  int Plain(std::string_view role) const;
  // The arm of that role, kind of strategy and weights, else Plain(role).
  int Find(const PolicyOutcome& outcome) const;
};

// What a table is resolved for.
struct StudyScope {
  std::vector<std::string> labels;
  std::vector<double> mix;           // [labels], sums to 1
  std::vector<StudyGroup> groups;    // all that there are queries of
  std::vector<StudyGroup> measured;  // those held out: a label's figures are their mean
};

// Fails with the arm and the task or label that it has no figure for.
Result<StudyArms> ResolveArms(const ArmTable& table, const StudyScope& scope);

}  // namespace aio

#endif  // AIO_EVAL_STUDY_ARMS_H_
