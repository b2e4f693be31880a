// Texts embedded when the program is built.
#ifndef AIO_PAGES_PAGE_TEMPLATES_H_
#define AIO_PAGES_PAGE_TEMPLATES_H_

#include <string_view>

namespace aio {

std::string_view CalibrationPageTemplate();  // src/pages/calibration_page.html
std::string_view ReportPageTemplate();       // src/pages/report_page.html
std::string_view SimulationPageTemplate();   // src/pages/simulation_page.html
std::string_view DashboardPageTemplate();    // src/pages/dashboard_page.html
std::string_view ChartJs();                  // Chart.js, MIT licence, with its own header

}  // namespace aio

#endif  // AIO_PAGES_PAGE_TEMPLATES_H_
