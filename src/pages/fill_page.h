// One HTML file that needs no network, from a template and its data.
#ifndef AIO_PAGES_FILL_PAGE_H_
#define AIO_PAGES_FILL_PAGE_H_

#include <string>
#include <string_view>

namespace aio {

// `page_template` has the marks /*AIO_CHART_JS*/ and /*AIO_DATA*/, each within a <script>; `json`
// is what the second stands for, and cannot end its script whatever strings it holds.
std::string FillPage(std::string_view page_template, std::string_view json);

}  // namespace aio

#endif  // AIO_PAGES_FILL_PAGE_H_
