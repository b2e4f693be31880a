#include "tasks/record_file.h"

#include <fstream>
#include <utility>

#include "eval/data_file.h"

namespace aio {

Result<RecordFile> RecordFile::Open(const std::string& path) {
  const Result<std::string> text = ReadDataFile(path);
  if (!text.ok() && text.status().code() != StatusCode::kNotFound) return text.status();
  RecordFile file = Parse(text.ok() ? std::string_view(*text) : "");
  file.path_ = path;
  const bool torn = file.unreadable_lines_ == 1 && file.ends_in_mid_line_;
  if (file.size() == 0 && file.unreadable_lines_ > 0 && !torn) {
    return InvalidArgument(path + ": holds no record of an evaluation; name another file");
  }
  // Whether it can be written, before an hour's work goes into it.
  if (!std::ofstream(path, std::ios::app)) {
    return InvalidArgument(path + ": cannot be written; is there such a folder?");
  }
  return file;
}

RecordFile RecordFile::Parse(std::string_view text) {
  RecordFile file;
  file.ends_in_mid_line_ = !text.empty() && text.back() != '\n';
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    Result<RunRecord> record = RunRecordFromJson(line);
    if (record.ok()) {
      std::string key = record->key;
      file.records_.insert_or_assign(std::move(key), *std::move(record));
    } else {
      ++file.unreadable_lines_;
    }
  }
  return file;
}

const RunRecord* RecordFile::Find(const std::string& key) const {
  const auto it = records_.find(key);
  return it == records_.end() ? nullptr : &it->second;
}

Status RecordFile::Add(const RunRecord& record) {
  records_.insert_or_assign(record.key, record);
  if (path_.empty()) return Status::Ok();
  std::ofstream out(path_, std::ios::app | std::ios::binary);
  if (std::exchange(ends_in_mid_line_, false)) out << '\n';
  out << RunRecordToJson(record) << '\n';
  out.flush();
  if (!out) return ResourceExhausted(path_ + ": cannot be written; is its disk full?");
  return Status::Ok();
}

}  // namespace aio
