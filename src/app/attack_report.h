// What `aio attack` prints.
#ifndef AIO_APP_ATTACK_REPORT_H_
#define AIO_APP_ATTACK_REPORT_H_

#include <string>
#include <vector>

#include "eval/robustness.h"

namespace aio {

struct DefendedReport {
  std::string defences;  // what was on, in a word or two: a column's title
  RobustnessReport report;
};

// A table with a column a report: attack success by kind, two intents by pair, clean prompts by
// intent. All of the same suites, at least one.
std::string AttackReportText(const std::vector<DefendedReport>& reports);
std::string AttackReportJson(const std::vector<DefendedReport>& reports);

}  // namespace aio

#endif  // AIO_APP_ATTACK_REPORT_H_
