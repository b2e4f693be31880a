#include "app/write_text.h"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace aio {

namespace {

constexpr const char* kCannotBeWritten = ": cannot be written; is there such a folder, and room?";

}  // namespace

Status WriteText(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return Status::Ok();
  return InvalidArgument(path + kCannotBeWritten);
}

std::string WritableFault(const std::string& path) {
  std::error_code error;
  const bool was_there = std::filesystem::exists(path, error);
  const bool opened = std::ofstream(path, std::ios::binary | std::ios::app).is_open();
  if (opened && !was_there) std::filesystem::remove(path, error);
  return opened ? std::string() : path + kCannotBeWritten;
}

}  // namespace aio
