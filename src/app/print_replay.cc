#include "app/print_replay.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <iterator>
#include <nlohmann/json.hpp>

namespace aio {
namespace {

// Lines with a name at their beginning.
class Lines {
 public:
  template <typename... Args>
  void Add(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), "{:<12} {}\n", name,
                   fmt::format(format, std::forward<Args>(args)...));
  }
  void Blank() { text_ += '\n'; }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string FormatTime(int64_t unix_seconds) {
  constexpr int64_t kSecondsMax = 253402300799;  // the year 9999: a damaged log may say anything
  if (unix_seconds < 0 || unix_seconds > kSecondsMax) return "?";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<time_t>(unix_seconds)));
}

std::string ShortHash(const std::string& hash) { return hash.substr(0, 12); }

std::string OrUnprobed(const std::string& intent) {
  return intent.empty() ? "(not probed)" : intent;
}

// --- of a log --------------------------------------------------------------------------

void AddChecks(const ReplayReport& report, Lines& lines) {
  for (const PolicyCheck& check : report.checks) {
    if (!check.fault.empty()) {
      lines.Add("checked", "policy {}: {} requests cannot be decided again: {}",
                ShortHash(check.hash), check.requests, check.fault);
      continue;
    }
    lines.Add("checked", "policy '{}' ({}): {} of {} decided the same again, byte for byte",
              check.name, ShortHash(check.hash), check.same, check.requests);
    for (const std::string& difference : check.differences) lines.Add("", "  {}", difference);
  }
}

void AddArms(const ReplayReport& report, Lines& lines) {
  for (const auto& [arm, use] : report.arms) {
    lines.Add("ran", "{:<28} {:>7} answers {:>9} tokens {:>9.2f} tokens/s {:>10.2f} MB/token",
              arm.Name(), use.requests, use.tokens,
              use.seconds > 0 ? static_cast<double>(use.tokens) / use.seconds : 0,
              static_cast<double>(use.bytes) / static_cast<double>(use.tokens) / 1e6);
  }
}

std::string DescribeScore(const ScoreChange& score) {
  if (score.moved == 0) return "stays: no request moves to a model that may answer otherwise";
  if (!score.mean) {
    return fmt::format(
        "cannot be said: of {} requests that change models, none is in an intent "
        "with feedback on both models",
        score.moved);
  }
  return fmt::format(
      "{:+.3f} [{:+.3f}, {:+.3f}] of -1..1, over {} requests (95 %); said of {} of "
      "{} that change models, as if the others stayed as they are",
      score.mean->value, score.mean->low, score.mean->high, score.requests, score.said,
      score.moved);
}

std::string DescribeCost(const CostChange& cost) {
  if (cost.requests == 0) return "cannot be said: no answer ran to its end on the arms chosen";
  return fmt::format(
      "{:.2f} -> {:.2f} tokens/s, {:.2f} -> {:.2f} MB/token over {} answers{}",
      cost.tokens_per_second, cost.tokens_per_second_expected, cost.bytes_per_token / 1e6,
      cost.bytes_per_token_expected / 1e6, cost.requests,
      cost.unseen == 0
          ? ""
          : fmt::format("; not of {} that move to an arm that never ran here", cost.unseen));
}

void AddGroups(const PolicyReplay& policy, Lines& lines) {
  for (const ReplayMoveGroup& group : policy.groups) {
    std::string feedback = "same answers";
    if (!group.from.SameAnswers(group.to)) {
      feedback =
          fmt::format("feedback on {} of them, on {} there", group.scores_from, group.scores_to);
    }
    lines.Add("", "{:>7}  {:<12} {} -> {}  ({})", group.requests, OrUnprobed(group.intent),
              group.from.Name(), group.to.Name(), feedback);
  }
}

void AddPolicy(const PolicyReplay& policy, Lines& lines) {
  lines.Blank();
  lines.Add("policy", "'{}' ({})", policy.name, ShortHash(policy.hash));
  lines.Add("moved", "{} of {} requests", policy.moved, policy.requests);
  AddGroups(policy, lines);
  for (const ReplayMove& move : policy.moves) {
    lines.Add("", "row {}, id {}: {}", move.row, move.request_id, move.reason);
  }
  if (policy.moved > static_cast<int64_t>(policy.moves.size())) {
    lines.Add("", "and {} more", policy.moved - static_cast<int64_t>(policy.moves.size()));
  }
  if (policy.unprobed > 0) {
    lines.Add("unprobed",
              "{} requests would have been probed and were not; they are decided as if "
              "the probe could not run",
              policy.unprobed);
  }
  if (policy.may_escalate > 0) {
    lines.Add("cascade",
              "{} requests begin on the small model; how many go on to the large one is "
              "not in the log",
              policy.may_escalate);
  }
  lines.Add("score", "{}", DescribeScore(policy.score));
  lines.Add("cost", "{}", DescribeCost(policy.cost));
}

OrderedJson ArmJson(const ReplayArm& arm) {
  return {{"role", arm.role}, {"weights", arm.weights}, {"strategy", StrategyName(arm.strategy)}};
}

OrderedJson ChecksJson(const ReplayReport& report) {
  OrderedJson checks = OrderedJson::array();
  for (const PolicyCheck& check : report.checks) {
    OrderedJson object;
    object["hash"] = check.hash;
    object["name"] = check.name;
    object["requests"] = check.requests;
    object["same"] = check.same;
    if (!check.fault.empty()) object["fault"] = check.fault;
    object["differences"] = check.differences;
    checks.push_back(std::move(object));
  }
  return checks;
}

OrderedJson ArmsJson(const ReplayReport& report) {
  OrderedJson arms = OrderedJson::array();
  for (const auto& [arm, use] : report.arms) {
    OrderedJson object = ArmJson(arm);
    object["answers"] = use.requests;
    object["tokens"] = use.tokens;
    object["seconds"] = use.seconds;
    object["bytes"] = use.bytes;
    arms.push_back(std::move(object));
  }
  return arms;
}

OrderedJson ScoreJson(const ScoreChange& score) {
  OrderedJson object;
  object["requests"] = score.requests;
  object["moved"] = score.moved;
  object["said"] = score.said;
  object["change"] = nullptr;
  if (score.mean) {
    object["change"] = score.mean->value;
    object["interval95"] = {score.mean->low, score.mean->high};
  }
  return object;
}

OrderedJson CostJson(const CostChange& cost) {
  OrderedJson object;
  object["answers"] = cost.requests;
  object["unseen"] = cost.unseen;
  if (cost.requests == 0) return object;
  object["tokens_per_second"] = cost.tokens_per_second;
  object["tokens_per_second_expected"] = cost.tokens_per_second_expected;
  object["bytes_per_token"] = cost.bytes_per_token;
  object["bytes_per_token_expected"] = cost.bytes_per_token_expected;
  return object;
}

OrderedJson PolicyJson(const PolicyReplay& policy) {
  OrderedJson object;
  object["name"] = policy.name;
  object["hash"] = policy.hash;
  object["requests"] = policy.requests;
  object["moved"] = policy.moved;
  object["unprobed"] = policy.unprobed;
  object["may_escalate"] = policy.may_escalate;
  object["groups"] = OrderedJson::array();
  for (const ReplayMoveGroup& group : policy.groups) {
    object["groups"].push_back({{"intent", group.intent},
                                {"from", ArmJson(group.from)},
                                {"to", ArmJson(group.to)},
                                {"requests", group.requests},
                                {"scores_from", group.scores_from},
                                {"scores_to", group.scores_to}});
  }
  object["moves"] = OrderedJson::array();
  for (const ReplayMove& move : policy.moves) {
    object["moves"].push_back({{"row", move.row},
                               {"id", move.request_id},
                               {"intent", move.intent},
                               {"from", ArmJson(move.from)},
                               {"to", ArmJson(move.to)},
                               {"rule", move.rule},
                               {"reason", move.reason}});
  }
  object["score"] = ScoreJson(policy.score);
  object["cost"] = CostJson(policy.cost);
  return object;
}

// --- of outcomes -----------------------------------------------------------------------

constexpr int kCurveSteps = 10;

std::string Points(const Difference95& difference) {
  return fmt::format("{:+.2f} points [{:+.2f}, {:+.2f}]", 100 * difference.value,
                     100 * difference.low, 100 * difference.high);
}

OrderedJson DifferenceJson(const Difference95& difference) {
  return {{"value", difference.value}, {"interval95", {difference.low, difference.high}}};
}

void AddCurve(const OutcomeReport& report, Lines& lines) {
  const CurveArea& area = report.area;
  lines.Add("curve",
            "fitted to {} queries by their words, measured on {} others (halves by a hash)",
            report.fitted, report.measured);
  lines.Add("area", "{:.2f} %, random {:.2f} %: {}; oracle {:.2f} %", 100 * area.area,
            100 * area.random,
            Points({area.above_random, area.above_random_low, area.above_random_high}),
            100 * area.oracle);
  lines.Add("gap", "{:.1f} % recovered in the mean (random: 50 %)", 100 * area.gap_recovered);
  const double first = report.curve.front().quality, last = report.curve.back().quality;
  for (int step = 0; step <= kCurveSteps; ++step) {
    const double share = static_cast<double>(step) / kCurveSteps;
    lines.Add("", "{:>4.0f} % on large: quality {:.2f} %, random {:.2f} %", 100 * share,
              100 * QualityAt(report.curve, share), 100 * (first + share * (last - first)));
  }
}

}  // namespace

std::string ReplayText(const std::string& log, const ReplayReport& report,
                       const UnreadableRows& unreadable) {
  Lines lines;
  lines.Add("log", "{}: {} requests, {} to {} UTC", log, report.requests,
            FormatTime(report.first_unix_seconds), FormatTime(report.last_unix_seconds));
  lines.Add("", "{} asked for by name, {} without an end, {} with feedback", report.by_name,
            report.without_end, report.scored);
  if (!unreadable.lines.empty()) {
    lines.Add("unreadable", "{} rows", unreadable.rows);
    for (const std::string& line : unreadable.lines) lines.Add("", "{}", line);
  }
  AddChecks(report, lines);
  AddArms(report, lines);
  for (const PolicyReplay& policy : report.policies) AddPolicy(policy, lines);
  return lines.Take();
}

OrderedJson ReplayJson(const std::string& log, const ReplayReport& report,
                       const UnreadableRows& unreadable) {
  OrderedJson object;
  object["log"] = log;
  object["requests"] = report.requests;
  object["by_name"] = report.by_name;
  object["without_end"] = report.without_end;
  object["scored"] = report.scored;
  object["first_unix_seconds"] = report.first_unix_seconds;
  object["last_unix_seconds"] = report.last_unix_seconds;
  object["unreadable_rows"] = unreadable.rows;
  object["unreadable"] = unreadable.lines;
  object["checks"] = ChecksJson(report);
  object["arms"] = ArmsJson(report);
  object["policies"] = OrderedJson::array();
  for (const PolicyReplay& policy : report.policies) {
    object["policies"].push_back(PolicyJson(policy));
  }
  return object;
}

std::string OutcomeText(const std::string& path, const OutcomeReport& report) {
  Lines lines;
  const OutcomeTable& table = report.table;
  lines.Add("outcomes", "{}: {} rows, {} used; {} repeat others, {} contradict others", path,
            table.rows, report.queries, table.duplicates, table.contradictions);
  for (const std::string& line : table.skipped) lines.Add("", "{}", line);
  lines.Add("models", "small {}, large {}", table.small, table.large);
  AddCurve(report, lines);
  for (const PolicyOnOutcomes& policy : report.policies) {
    lines.Blank();
    lines.Add("policy", "'{}' ({}): {} of {} on the small model{}", policy.name,
              ShortHash(policy.hash), policy.on_small, policy.queries,
              policy.may_escalate > 0 ? ", unless their first tokens are uncertain" : "");
    lines.Add("quality", "{:.2f} %; all small {:.2f} %, all large {:.2f} %, oracle {:.2f} %",
              100 * policy.quality, 100 * policy.all_small, 100 * policy.all_large,
              100 * policy.oracle);
    lines.Add("", "{} against all large", Points(policy.to_large));
    lines.Add("", "{} against random with as many on small", Points(policy.to_random));
  }
  return lines.Take();
}

OrderedJson OutcomeJson(const std::string& path, const OutcomeReport& report) {
  const OutcomeTable& table = report.table;
  const CurveArea& area = report.area;
  OrderedJson object;
  object["outcomes"] = path;
  object["small"] = table.small;
  object["large"] = table.large;
  object["rows"] = table.rows;
  object["queries"] = report.queries;
  object["duplicates"] = table.duplicates;
  object["contradictions"] = table.contradictions;
  object["skipped"] = table.skipped;
  object["curve"] = {{"fitted", report.fitted},
                     {"measured", report.measured},
                     {"area", area.area},
                     {"random", area.random},
                     {"oracle", area.oracle},
                     {"above_random", area.above_random},
                     {"interval95", {area.above_random_low, area.above_random_high}},
                     {"gap_recovered", area.gap_recovered}};
  OrderedJson& points = object["curve"]["points"] = OrderedJson::array();
  for (int step = 0; step <= kCurveSteps; ++step) {
    const double share = static_cast<double>(step) / kCurveSteps;
    points.push_back({{"large_share", share}, {"quality", QualityAt(report.curve, share)}});
  }
  object["policies"] = OrderedJson::array();
  for (const PolicyOnOutcomes& policy : report.policies) {
    object["policies"].push_back({{"name", policy.name},
                                  {"hash", policy.hash},
                                  {"queries", policy.queries},
                                  {"on_small", policy.on_small},
                                  {"may_escalate", policy.may_escalate},
                                  {"quality", policy.quality},
                                  {"all_small", policy.all_small},
                                  {"all_large", policy.all_large},
                                  {"oracle", policy.oracle},
                                  {"to_large", DifferenceJson(policy.to_large)},
                                  {"to_random", DifferenceJson(policy.to_random)}});
  }
  return object;
}

double QualityAt(const std::vector<CurvePoint>& curve, double large_share) {
  for (size_t i = 1; i < curve.size(); ++i) {
    const CurvePoint& from = curve[i - 1];
    const CurvePoint& to = curve[i];
    if (large_share > to.large_share) continue;
    const double part = (large_share - from.large_share) / (to.large_share - from.large_share);
    return from.quality + part * (to.quality - from.quality);
  }
  return curve.back().quality;
}

}  // namespace aio
