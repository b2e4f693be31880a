// What fitting a probe head has shown, for people and for machines.
#ifndef AIO_APP_FIT_HEAD_REPORT_H_
#define AIO_APP_FIT_HEAD_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/fit_head.h"

namespace aio {

// Of texts about one label alone, that its bound of dissent is to keep.
inline constexpr double kKeptByBound = 0.99;

// How the windows' dissent (StrongestDissent()) tells texts about one label from mixed ones.
struct DissentFigures {
  double bound = 0;         // that kKeptByBound of the label's texts that tune keep
  int texts = 0;            // test texts of the label
  int doubted = 0;          // of these, over the bound
  int mixed = 0;            // texts about several things
  int mixed_taken = 0;      // of these, taken for the label
  int mixed_undoubted = 0;  // of these, not over the bound either
};

struct HeadReport {
  std::string model;
  std::vector<std::string> labels;
  int rows_fitted = 0;
  int rows_tuned = 0;
  HeadFits fits;
  int chosen = 0;                       // index of a depth
  std::vector<HeadQuality> tested;      // [depths]; empty: no test texts
  int template_right = -1;              // of the test texts; -1: there is no template
  std::vector<DissentFigures> dissent;  // [labels], of the chosen depth
};

void PrintReport(const HeadReport& report);
nlohmann::ordered_json HeadReportJson(const HeadReport& report);

}  // namespace aio

#endif  // AIO_APP_FIT_HEAD_REPORT_H_
