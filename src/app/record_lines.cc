#include "app/record_lines.h"

namespace aio {

RecordLines::RecordLines(const std::string& path) : path_(path), out_(path, std::ios::binary) {}

Result<std::unique_ptr<RecordLines>> RecordLines::Create(const std::string& path) {
  std::unique_ptr<RecordLines> lines(new RecordLines(path));
  if (!lines->out_) return InvalidArgument(path + ": cannot be written");
  return lines;
}

void RecordLines::Add(const LoadRecord& record, const RecordTags& tags) {
  out_ << RecordLine(record, tags) << '\n';
}

Status RecordLines::Finish() {
  out_.flush();
  return out_ ? Status::Ok() : Internal(path_ + ": not all records could be written");
}

}  // namespace aio
