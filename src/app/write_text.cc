#include "app/write_text.h"

#include <fstream>

namespace aio {

Status WriteText(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return Status::Ok();
  return InvalidArgument(path + ": cannot be written; is there such a folder, and room?");
}

}  // namespace aio
