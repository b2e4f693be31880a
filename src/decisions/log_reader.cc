#include "decisions/log_reader.h"

#include <utility>

#include "decisions/log_source.h"
#include "postgres/url.h"

namespace aio {

Result<LogReader> LogReader::Open(const std::string& place) {
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<LogSource> source,
                       IsPostgresUrl(place) ? OpenPostgresLog(place) : OpenSqliteLog(place));
  return LogReader(std::move(source));
}

LogReader::LogReader(std::unique_ptr<LogSource> source) : source_(std::move(source)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

int64_t LogReader::CountRows() { return source_->CountRows(); }
Status LogReader::ReadAll(const std::function<void(LoggedRequest)>& visit) {
  return source_->ReadAll(visit);
}
std::map<std::string, std::string> LogReader::ReadPolicies() { return source_->ReadPolicies(); }
const std::vector<std::string>& LogReader::unreadable() const { return source_->unreadable(); }
int64_t LogReader::unreadable_rows() const { return source_->unreadable_rows(); }

}  // namespace aio
