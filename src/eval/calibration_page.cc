#include <string>

#include "eval/calibration_json.h"
#include "eval/calibration_output.h"
#include "pages/fill_page.h"
#include "pages/page_templates.h"

namespace aio {

std::string CalibrationPage(const CalibrationInput& input, const CalibrationReport& report,
                            const CalibrationSubject& subject) {
  nlohmann::ordered_json json = CalibrationObject(input, report, subject);
  const auto policy = CalibratedPolicyToml(input, report, subject);
  json["policy"] = policy.ok() ? *policy : "";
  json["no_policy"] = policy.ok() ? "" : policy.status().message();
  using Handler = nlohmann::ordered_json::error_handler_t;
  return FillPage(CalibrationPageTemplate(), json.dump(-1, ' ', false, Handler::replace));
}

}  // namespace aio
