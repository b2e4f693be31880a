#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/toml_string.h"
#include "eval/calibration_output.h"
#include "eval/data_sets.h"

namespace aio {

namespace {

using Kind = RoutingCandidate::Kind;

constexpr size_t kRuleLabelMax = 24;  // of 32 characters of a rule's name

// As few digits as give the same number again, and a dot so that TOML reads a float.
std::string Number(double value) {
  std::string text = fmt::format("{}", value);
  const bool whole = text.find_first_of(".en") == std::string::npos;
  return whole ? text + ".0" : text;
}

std::vector<std::string> AllQuoted(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  quoted.reserve(texts.size());
  for (const std::string& text : texts) quoted.push_back(TomlString(text));
  return quoted;
}

class PolicyWriter {
 public:
  PolicyWriter(const CalibrationInput& input, const CalibrationReport& report,
               const CalibrationSubject& subject)
      : input_(input), report_(report), subject_(subject), labels_(input.set.labels) {
    if (report.routing && report.routing->chosen) {
      chosen_ = &report.routing->points[*report.routing->chosen];
    }
  }

  std::string Write() {
    WriteHead();
    const bool utility = chosen_ && chosen_->candidate->kind == Kind::kUtility;
    if (utility) {
      Line("[utility]\nlambda = {}\nanswer_tokens = {}\n", Number(chosen_->candidate->lambda),
           chosen_->candidate->answer_tokens);
    } else {
      WriteRules();
    }
    WriteCalibration();
    WriteEvidence();
    if (subject_.mix_is_known) WriteDrift();
    if (report_.routing) WriteArms(report_.routing->arms);
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...) + '\n';
  }

  void WriteHead() {
    Line("# Written by `aio calibrate` on {} for {} and {}:", subject_.date, subject_.small_model,
         subject_.large_model);
    Line("# what the probe's scores are worth, when the small model may answer, and the evidence.");
    Line("# docs/calibration.md says how it is made, docs/policies.md what the keys mean.");
    if (chosen_) {
      const RoutingFigures& held_out = chosen_->held_out;
      Line(
          "#\n# On held-out queries: {:.2f} points of accuracy below an oracle router, at most "
          "{:.2f} with",
          held_out.loss, held_out.loss_upper);
      Line(
          "# {:g} % confidence ({}); {:.2f} tokens/s by the table of arms, {:.1f} % of requests "
          "on the\n# small model.",
          100 * report_.options.confidence, BoundMethodName(report_.options.bound),
          held_out.tokens_per_second, 100 * held_out.small_share);
    }
    Line("\nversion = 1\nname = \"calibrated\"");
    if (chosen_ && chosen_->candidate->kind == Kind::kUtility) Line("kind = \"utility\"");
    Line("probe_prompt_tokens_max = {}\n", input_.probe_prompt_tokens_max);
  }

  std::string RuleName(size_t label, std::string_view role) const {
    const std::string& name = labels_[label];
    const bool fits = name.size() <= kRuleLabelMax;
    return fits ? fmt::format("{}-{}", name, role) : fmt::format("label-{}-{}", label + 1, role);
  }

  // The best arm of a role for a label; without one, for prompts that are not probed. A strategy
  // that was asked for stands in for the arm's own.
  std::string Arm(std::optional<size_t> label, std::string_view role) const {
    const std::string& asked = subject_.strategy;
    if (!report_.routing) return fmt::format("strategy = \"{}\"", asked.empty() ? "auto" : asked);
    const StudyArms& arms = report_.routing->arms;
    const int best =
        label ? arms.BestOfRole(static_cast<int>(*label), role) : arms.BestUnprobed(role);
    const aio::Arm& arm = arms.arms[best];
    std::string text = fmt::format("strategy = \"{}\"", asked.empty() ? arm.strategy_name : asked);
    if (!arm.weights.empty()) text += fmt::format("\nweights = \"{}\"", arm.weights);
    return text;
  }

  bool MayBeSmall(size_t label) const {
    return chosen_ ? chosen_->candidate->small[label] : label == report_.small_label;
  }

  void WriteRules() {
    const int long_tokens =
        report_.routing ? report_.routing->arms.long_tokens : input_.probe_prompt_tokens_max;
    for (size_t label = 0; label < labels_.size(); ++label) {
      if (MayBeSmall(label)) {
        Line(
            "[[rule]]\nname = {}\nintents = [{}]\nprompt_tokens_max = {}\nentropy_max = {}\n"
            "role = \"small\"\n{}\n",
            TomlString(RuleName(label, kSmallRole)), TomlString(labels_[label]), long_tokens,
            Number(report_.entropy_max), Arm(label, kSmallRole));
      }
      Line("[[rule]]\nname = {}\nintents = [{}]\nrole = \"large\"\n{}\n",
           TomlString(RuleName(label, kLargeRole)), TomlString(labels_[label]),
           Arm(label, kLargeRole));
    }
    Line(
        "# Not probed: too long, or the probe could not run.\n[[rule]]\nname = \"otherwise\"\n"
        "role = \"large\"\n{}\n",
        Arm(std::nullopt, kLargeRole));
  }

  void WriteCalibration() {
    const ScalingFit& fit = report_.scaling();
    std::vector<std::string> bias;
    bias.reserve(fit.scaling.bias.size());
    for (const double value : fit.scaling.bias) bias.push_back(Number(value));
    Line(
        "# Probabilities are softmax((scores - bias) / temperature), fitted on {} queries; bias: "
        "{}.",
        Count(Split::kFit), BiasKindName(fit.bias));
    Line("[calibration]\nlabels = [{}]\nbias = [{}]\ntemperature = {}\n",
         fmt::join(AllQuoted(labels_), ", "), fmt::join(bias, ", "),
         Number(fit.scaling.temperature));
  }

  int Count(Split split) const {
    int count = 0;
    for (const std::string& label : labels_) count += input_.set.Count(split, label);
    return count;
  }

  void WriteEvidence() {
    Line("[evidence]\ndate = {}\nprobe = {}", TomlString(subject_.date),
         TomlString(subject_.probe));
    if (!subject_.small_fingerprint.empty())
      Line("small = {}", TomlString(subject_.small_fingerprint));
    if (!subject_.large_fingerprint.empty())
      Line("large = {}", TomlString(subject_.large_fingerprint));
    Line("data = [");
    for (const DataSetUse& data : input_.set.data_sets) {
      Line("  {{ name = {}, rows = {}, used = {}, sha256 = {} }},", TomlString(data.name),
           data.rows, data.used[static_cast<size_t>(Split::kHeldOut)], TomlString(data.sha256));
    }
    Line("]\naccuracy = {}\nece = {}", Number(report_.after.accuracy), Number(report_.after.ece));
    if (chosen_) {
      Line("loss_upper_bound = {}\nloss_confidence = {}", Number(chosen_->held_out.loss_upper),
           Number(report_.options.confidence));
    }
    Line("");
  }

  void WriteDrift() {
    std::vector<std::string> shares;
    for (size_t i = 0; i < labels_.size(); ++i) {
      shares.push_back(
          fmt::format("{} = {}", TomlString(labels_[i]), Number(report_.said_shares[i])));
    }
    Line("[drift]\nlabel_shares = {{ {} }}\nentropy_mean = {}\nentropy_sd = {}\n",
         fmt::join(shares, ", "), Number(report_.after.mean_entropy),
         Number(std::max(1e-6, report_.entropy_sd)));
  }

  void WriteArms(const StudyArms& arms) {
    for (size_t i = 0; i < arms.arms.size(); ++i) {
      const aio::Arm& arm = arms.arms[i];
      Line("[[arm]]\nrole = {}\nstrategy = {}", TomlString(arm.role),
           TomlString(arm.strategy_name));
      if (!arm.weights.empty()) Line("weights = {}", TomlString(arm.weights));
      std::vector<std::string> accuracy, accuracy_long;
      for (size_t label = 0; label < labels_.size(); ++label) {
        const double percent = arms.label_accuracy[label][i];
        accuracy.push_back(fmt::format("{} = {}", TomlString(labels_[label]), Number(percent)));
        accuracy_long.push_back(
            fmt::format("{} = {}", TomlString(labels_[label]),
                        Number(arms.label_accuracy_long[label][i].value_or(percent))));
      }
      Line("accuracy = {{ {} }}", fmt::join(accuracy, ", "));
      if (!arm.accuracy_long.empty()) {
        Line("accuracy_long = {{ {} }}\nlong_tokens = {}", fmt::join(accuracy_long, ", "),
             arms.long_tokens);
      }
      Line("tokens_per_second = {}", Number(arms.speed[i]));
      if (arm.bytes_per_token) Line("bytes_per_token = {}", Number(*arm.bytes_per_token));
      Line("");
    }
  }

  const CalibrationInput& input_;
  const CalibrationReport& report_;
  const CalibrationSubject& subject_;
  const std::vector<std::string>& labels_;
  const FrontPoint* chosen_ = nullptr;
  std::string text_;
};

std::string Rows(const std::optional<int>& rows) {
  return rows ? fmt::format("{}", *rows) : "more than a million, or no number,";
}

}  // namespace

std::string DescribeRowsNeeded(const CalibrationReport& report) {
  const CalibrationOptions& options = report.options;
  std::string text =
      fmt::format("no policy is shown to lose at most {:g} points with {:g} % confidence",
                  options.loss_max, 100 * options.confidence);
  if (!report.routing || !report.routing->rows_needed) return text;
  const RowsNeeded& needed = *report.routing->rows_needed;
  text += fmt::format(
      ": at the rate of wrong routes seen that takes {} held-out queries a label, and {} with none "
      "wrong; here are",
      Rows(needed.at_rates_seen), Rows(needed.if_never_wrong));
  for (size_t i = 0; i < report.after.labels.size(); ++i) {
    text += fmt::format("{} {}", i == 0 ? "" : ",", report.after.labels[i].count);
  }
  return text + ". Add queries, allow more loss (--loss), or less confidence (--confidence)";
}

Result<std::string> CalibratedPolicyToml(const CalibrationInput& input,
                                         const CalibrationReport& report,
                                         const CalibrationSubject& subject) {
  if (report.routing && !report.routing->chosen) return InvalidArgument(DescribeRowsNeeded(report));
  return PolicyWriter(input, report, subject).Write();
}

}  // namespace aio
