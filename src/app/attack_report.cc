#include "app/attack_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

namespace aio {

namespace {

using Json = nlohmann::ordered_json;
using SharesOf = const std::vector<NamedShare> RobustnessReport::*;
using ShareOf = const Share RobustnessReport::*;

class Table {
 public:
  explicit Table(const std::vector<DefendedReport>& reports) : reports_(reports) {
    for (const DefendedReport& each : reports) {
      widths_.push_back(std::max<size_t>(kCellWidth, each.defences.size() + 2));
    }
  }

  void Titles() {
    text_ += fmt::format("{:<{}}", "", kNameWidth);
    Cells([&](const DefendedReport& each) { return each.defences; });
  }
  void Section(std::string_view title, ShareOf all, SharesOf parts) {
    text_ += fmt::format("\n{:<{}}", title, kNameWidth);
    Cells([&](const DefendedReport& each) { return Cell(each.report.*all); });
    const std::vector<NamedShare>& names = reports_.front().report.*parts;
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string name = fmt::format("  {} ({})", names[i].name, names[i].share.of);
      text_ += fmt::format("{:<{}}", name, kNameWidth);
      Cells([&](const DefendedReport& each) { return Cell((each.report.*parts)[i].share); });
    }
  }
  void Row(std::string_view title, ShareOf share) {
    text_ += fmt::format("{:<{}}", title, kNameWidth);
    Cells([&](const DefendedReport& each) { return Cell(each.report.*share); });
  }
  void Times() {
    text_ += fmt::format("\n{:<{}}", "mean time of the probe", kNameWidth);
    Cells([](const DefendedReport& each) {
      return fmt::format("{:.2f} ms", each.report.decision_ms);
    });
  }
  std::string text() && { return std::move(text_); }

 private:
  static constexpr size_t kNameWidth = 34;
  static constexpr size_t kCellWidth = 10;

  static std::string Cell(const Share& share) { return fmt::format("{:.1f} %", share.percent()); }

  void Cells(const std::function<std::string(const DefendedReport&)>& cell) {
    for (size_t i = 0; i < reports_.size(); ++i) {
      text_ += fmt::format("{:>{}}", cell(reports_[i]), widths_[i]);
    }
    text_ += '\n';
  }

  const std::vector<DefendedReport>& reports_;
  std::vector<size_t> widths_;  // [reports]
  std::string text_;
};

Json ToJson(const Share& share) {
  return {{"of", share.of}, {"count", share.count}, {"percent", share.percent()}};
}

Json ToJson(const std::vector<NamedShare>& shares) {
  Json json = Json::object();
  for (const NamedShare& share : shares) json[share.name] = ToJson(share.share);
  return json;
}

}  // namespace

std::string AttackReportText(const std::vector<DefendedReport>& reports) {
  Table table(reports);
  table.Titles();
  table.Section("attacked, sent to the small model", &RobustnessReport::attack_success,
                &RobustnessReport::by_attack);
  table.Section("two intents, sent to the large", &RobustnessReport::multi_intent_to_large,
                &RobustnessReport::by_pair);
  table.Section("clean, sent where they belong", &RobustnessReport::clean_right,
                &RobustnessReport::by_intent);
  table.Row("clean, intent right", &RobustnessReport::clean_intent_right);
  table.Times();
  return std::move(table).text();
}

std::string AttackReportJson(const std::vector<DefendedReport>& reports) {
  Json json = Json::array();
  for (const auto& [defences, report] : reports) {
    json.push_back({{"defences", defences},
                    {"attack_success", ToJson(report.attack_success)},
                    {"by_attack", ToJson(report.by_attack)},
                    {"multi_intent_to_large", ToJson(report.multi_intent_to_large)},
                    {"by_pair", ToJson(report.by_pair)},
                    {"clean_right", ToJson(report.clean_right)},
                    {"by_intent", ToJson(report.by_intent)},
                    {"clean_intent_right", ToJson(report.clean_intent_right)},
                    {"refused", report.refused},
                    {"probe_ms", report.decision_ms},
                    {"successful", report.successful}});
  }
  // Whatever bytes a file of prompts held.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace aio
