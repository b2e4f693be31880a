// A decision log in a folder of its own, as the tests of this layer share it.
#ifndef AIO_DECISIONS_TESTING_LOG_FIXTURE_H_
#define AIO_DECISIONS_TESTING_LOG_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "decisions/decision_log.h"
#include "decisions/log_reader.h"
#include "decisions/testing/records.h"

namespace aio {

inline std::vector<LoggedRequest> ReadLog(const std::string& path) {
  std::vector<LoggedRequest> requests;
  Result<LogReader> reader = LogReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  if (!reader.ok()) return requests;
  const Status read = reader->ReadAll([&](LoggedRequest r) { requests.push_back(std::move(r)); });
  EXPECT_TRUE(read.ok()) << read.ToString();
  EXPECT_EQ(reader->unreadable(), std::vector<std::string>());
  return requests;
}

class DecisionLogTest : public testing::Test {
 protected:
  std::unique_ptr<DecisionLog> OpenLog(DecisionLogOptions options = {}) {
    options.path = path_;
    Result<std::unique_ptr<DecisionLog>> log = DecisionLog::Create(std::move(options), clock_);
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    return log.ok() ? *std::move(log) : nullptr;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "decisions.db";
  ManualClock clock_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_TESTING_LOG_FIXTURE_H_
