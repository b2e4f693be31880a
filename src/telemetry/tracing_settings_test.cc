#include "telemetry/tracing_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace aio {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

using Variables = std::map<std::string, std::string>;

ReadVariable From(const Variables& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

// Both steps, as `aio serve` takes them.
Result<TracingSettings> Read(const std::string& toml, const Variables& variables = {}) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(toml, "test.toml"));
  TracingSettings settings = ReadTracing(root, From(variables));
  AIO_RETURN_IF_ERROR(root.Finish());
  AIO_RETURN_IF_ERROR(AddTracingVariables(From(variables), settings));
  return settings;
}

std::string ErrorOf(const std::string& toml, const Variables& variables = {}) {
  const auto settings = Read(toml, variables);
  return settings.ok() ? "no error" : settings.status().message();
}

TEST(TracingSettingsTest, TracesNothingUnlessAsked) {
  const auto settings = Read("");
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->endpoint, "");
  EXPECT_EQ(settings->sample_ratio, 1);
}

TEST(TracingSettingsTest, ReadsTheTable) {
  const auto settings = Read(R"([tracing]
endpoint = "https://collector.example.org:4318/"
headers = ["Authorization: Bearer ${TOKEN}:${TOKEN}", "x-scope:a: b"]
sample_ratio = 0.25
service_name = "chat"
queue_max = 10)",
                             {{"TOKEN", "s3cret"}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->endpoint, "https://collector.example.org:4318/v1/traces");
  EXPECT_THAT(settings->headers,
              ElementsAre(Pair("Authorization", "Bearer s3cret:s3cret"), Pair("x-scope", "a: b")));
  EXPECT_EQ(settings->sample_ratio, 0.25);
  EXPECT_EQ(settings->service_name, "chat");
  EXPECT_EQ(settings->queue_max, 10);
}

TEST(TracingSettingsTest, APathOfTracesIsNotAddedTwice) {
  EXPECT_EQ(Read("[tracing]\nendpoint = \"http://h/otlp/v1/traces\"")->endpoint,
            "http://h/otlp/v1/traces");
}

TEST(TracingSettingsTest, RefusesByKeyAndMend) {
  EXPECT_THAT(ErrorOf("[tracing]\nendpoint = \"localhost:4318\""), HasSubstr("http://HOST:4318"));
  EXPECT_THAT(ErrorOf("[tracing]\nendpoint = \"http://\""), HasSubstr("tracing.endpoint"));
  EXPECT_THAT(ErrorOf("[tracing]\nsample_ratio = 1.5"), HasSubstr("tracing.sample_ratio"));
  EXPECT_THAT(ErrorOf("[tracing]\nservice_name = \"\""), HasSubstr("tracing.service_name"));
  EXPECT_THAT(ErrorOf("[tracing]\nqueue_max = 0"), HasSubstr("tracing.queue_max"));
  EXPECT_THAT(ErrorOf("[tracing]\nheaders = [\"token\"]"), HasSubstr("without a colon"));
  EXPECT_THAT(ErrorOf("[tracing]\nheaders = [\"a b: c\"]"), HasSubstr("no header can have"));
  EXPECT_THAT(ErrorOf("[tracing]\nheaders = [\"a: ${NOT_SET}\"]"), HasSubstr("NOT_SET is not set"));
  EXPECT_THAT(ErrorOf("[tracing]\nheaders = [\"a: ${NOT\"]"), HasSubstr("without its"));
  EXPECT_THAT(ErrorOf("[tracing]\nurl = \"x\""), HasSubstr("url"));
}

TEST(TracingSettingsTest, ASecretIsNotShownWhenItWillNotDo) {
  const std::string error =
      ErrorOf("[tracing]\nheaders = [\"a: ${T}\"]", {{"T", "s3cret\nx-evil: 1"}});
  EXPECT_THAT(error, HasSubstr("printable"));
  EXPECT_THAT(error, Not(HasSubstr("s3cret")));
}

TEST(TracingSettingsTest, TheEnvironmentFillsWhatIsLeftOpen) {
  const auto settings = Read("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"},
                                  {"OTEL_EXPORTER_OTLP_HEADERS", "a=b%20c, d = e=f ,"},
                                  {"OTEL_SERVICE_NAME", "named"}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->endpoint, "http://collector:4318/v1/traces");
  EXPECT_THAT(settings->headers, ElementsAre(Pair("a", "b c"), Pair("d", "e=f")));
  EXPECT_EQ(settings->service_name, "named");
}

TEST(TracingSettingsTest, TheVariableForTracesGoesFirstAndIsTakenAsItIs) {
  const auto settings =
      Read("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"},
                {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/custom"},
                {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"}});
  EXPECT_EQ(settings->endpoint, "http://traces:4318/custom");
  EXPECT_THAT(settings->headers, ElementsAre(Pair("b", "2")));
}

TEST(TracingSettingsTest, TheTableGoesBeforeTheEnvironment) {
  const auto settings =
      Read("[tracing]\nendpoint = \"http://own:1\"\nheaders = [\"a: own\"]\nservice_name = \"own\"",
           {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318"},
            {"OTEL_EXPORTER_OTLP_HEADERS", "a=other"},
            {"OTEL_SERVICE_NAME", "other"}});
  EXPECT_EQ(settings->endpoint, "http://own:1/v1/traces");
  EXPECT_THAT(settings->headers, ElementsAre(Pair("a", "own")));
  EXPECT_EQ(settings->service_name, "own");
}

TEST(TracingSettingsTest, TheEnvironmentCanTurnItOff) {
  EXPECT_EQ(
      Read("[tracing]\nendpoint = \"http://own:1\"", {{"OTEL_SDK_DISABLED", "TRUE"}})->endpoint,
      "");
}

TEST(TracingSettingsTest, FaultsOfVariablesNameThem) {
  EXPECT_THAT(ErrorOf("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"}}),
              HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT"));
  EXPECT_THAT(ErrorOf("", {{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "token"}}),
              HasSubstr("OTEL_EXPORTER_OTLP_TRACES_HEADERS"));
}

}  // namespace
}  // namespace aio
