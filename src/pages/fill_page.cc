#include "pages/fill_page.h"

#include "base/check.h"
#include "pages/page_templates.h"

namespace aio {

namespace {

void Put(std::string& page, std::string_view mark, std::string_view text) {
  const size_t at = page.find(mark);
  AIO_CHECK(at != std::string::npos);
  page.replace(at, mark.size(), text);
}

// JSON within a <script>: a "<" in a file's name must not end it.
std::string ForScript(std::string_view json) {
  std::string out;
  out.reserve(json.size());
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

std::string FillPage(std::string_view page_template, std::string_view json) {
  std::string page(page_template);
  Put(page, "/*AIO_CHART_JS*/", ChartJs());
  Put(page, "/*AIO_DATA*/", ForScript(json));
  return page;
}

}  // namespace aio
