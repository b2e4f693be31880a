#include <string>
#include <string_view>

#include "base/check.h"
#include "eval/calibration_json.h"
#include "eval/calibration_output.h"
#include "eval/embedded_page.h"

namespace aio {

namespace {

void Put(std::string& page, std::string_view mark, std::string_view text) {
  const size_t at = page.find(mark);
  AIO_CHECK(at != std::string::npos);
  page.replace(at, mark.size(), text);
}

// JSON within a <script>: a "<" in a file's name must not end it.
std::string ForScript(std::string json) {
  std::string out;
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string CalibrationPage(const CalibrationInput& input, const CalibrationReport& report,
                            const CalibrationSubject& subject) {
  nlohmann::ordered_json json = CalibrationObject(input, report, subject);
  const auto policy = CalibratedPolicyToml(input, report, subject);
  json["policy"] = policy.ok() ? *policy : "";
  json["no_policy"] = policy.ok() ? "" : policy.status().message();
  std::string page(CalibrationPageTemplate());
  Put(page, "/*AIO_CHART_JS*/", ChartJs());
  using Handler = nlohmann::ordered_json::error_handler_t;
  Put(page, "/*AIO_DATA*/", ForScript(json.dump(-1, ' ', false, Handler::replace)));
  return page;
}

}  // namespace aio
