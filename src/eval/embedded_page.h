// Texts embedded when the program is built.
#ifndef AIO_EVAL_EMBEDDED_PAGE_H_
#define AIO_EVAL_EMBEDDED_PAGE_H_

#include <string_view>

namespace aio {

std::string_view CalibrationPageTemplate();  // src/eval/calibration_page.html
std::string_view ChartJs();                  // Chart.js, MIT licence, with its own header

}  // namespace aio

#endif  // AIO_EVAL_EMBEDDED_PAGE_H_
