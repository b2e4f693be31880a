#include "jinja/marked_text.h"

namespace aio {

std::vector<MarkedText::Run> MarkedText::Runs() const {
  std::vector<Run> runs;
  for (size_t begin = 0; begin < size();) {
    size_t end = marks_.find_first_not_of(marks_[begin], begin);
    if (end == std::string::npos) end = size();
    runs.push_back({std::string_view(bytes_).substr(begin, end - begin), is_data(begin)});
    begin = end;
  }
  return runs;
}

}  // namespace aio
