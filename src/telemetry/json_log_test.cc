#include "telemetry/json_log.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace aio {
namespace {

using Json = nlohmann::json;

class JsonLogTest : public testing::Test {
 protected:
  JsonLogTest() { sink_->set_formatter(MakeJsonLogFormatter()); }

  spdlog::logger Named(std::string_view name) { return {std::string(name), sink_}; }

  std::ostringstream out_;
  std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink_ =
      std::make_shared<spdlog::sinks::ostream_sink_mt>(out_);
};

TEST_F(JsonLogTest, AMessageIsAnObjectOnALineOfItsOwn) {
  Named("aio").warn("line one\nand \"two\" \x01 \xFF");
  const std::string text = out_.str();
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const Json json = Json::parse(text);
  EXPECT_EQ(json.at("level"), "warning");
  EXPECT_EQ(json.at("message"), "line one\nand \"two\" \x01 \xEF\xBF\xBD");
  const std::string time = json.at("time");
  EXPECT_EQ(time.size(), std::string("2026-11-30T04:01:02.345678Z").size());
  EXPECT_EQ(time.back(), 'Z');
}

TEST_F(JsonLogTest, MembersStandBesideTimeAndLevel) {
  Named(kMembersLogger).info(R"("message":"request","status":200)");
  Named(kMembersLogger).info("");
  std::istringstream lines(out_.str());
  std::string line;
  std::getline(lines, line);
  Json json = Json::parse(line);
  EXPECT_EQ(json.at("message"), "request");
  EXPECT_EQ(json.at("status"), 200);
  EXPECT_EQ(json.at("level"), "info");
  EXPECT_EQ(json.size(), 4u);
  std::getline(lines, line);
  EXPECT_EQ(Json::parse(line).size(), 2u);
}

TEST_F(JsonLogTest, NoMessageCanAddAMember) {
  Named("aio").info(R"(x","status":500,"y":")");
  const Json json = Json::parse(out_.str());
  EXPECT_EQ(json.at("message"), R"(x","status":500,"y":")");
  EXPECT_EQ(json.size(), 3u);
}

}  // namespace
}  // namespace aio
