#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "access/keys_file.h"
#include "app/config_access.h"
#include "app/serve_admission.h"
#include "app/system_cpu.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSource[] = AIO_SOURCE_DIR "/config/test.toml";  // need not exist

// A configuration that is right, so that each test changes one thing.
std::string Config(const std::string& extra = "", const std::string& version = "1") {
  return "version = " + version + R"(
[models.small]
name = "tiny"
path = "../models/tiny.gguf"
[models.large]
path = "/data/big.gguf"
chat_template = "chatml"
[probe]
suffix = "?"
labels = [{ name = "code", word = "code" }, { name = "qa", word = "qa" }, { name = "math", word = "math" }]
[routing]
policy = "../policy/paper.toml"
)" + extra;
}

std::string ErrorOf(const std::string& toml) {
  const auto config = ParseConfig(toml, kSource);
  return config.ok() ? "no error" : config.status().message();
}

TEST(ConfigTest, ReadsPathsRelativeToTheFile) {
  const auto config = ParseConfig(Config(), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  ASSERT_EQ(config->models.size(), 2u);
  EXPECT_EQ(config->models[0].name, "tiny");
  EXPECT_EQ(config->models[0].path, AIO_SOURCE_DIR "/models/tiny.gguf");
  EXPECT_EQ(config->models[1].name, "large") << "the role, when no name is given";
  EXPECT_EQ(config->models[1].path, "/data/big.gguf");
  EXPECT_EQ(config->models[1].chat_template, "chatml");
  EXPECT_EQ(config->server.host, "127.0.0.1");
  EXPECT_EQ(config->probe.labels.size(), 3u);
  EXPECT_EQ(config->policy.name(), RoutingPolicy::Paper().name());
  EXPECT_THAT(config->virtual_names, ElementsAre("auto", "aio/auto"));
}

// A configuration with these lines in [models.small] and [models.large].
std::string Models(const std::string& small, const std::string& large) {
  std::string text = Config();
  text.insert(text.find("[models.large]"), small);
  text.insert(text.find("[probe]"), large);
  return text;
}

TEST(ConfigTest, AGatewayOnFewCoresHasOneThreadForItsRequests) {
  std::string text = Config();
  const size_t models = text.find("[models.small]");
  text.replace(models, text.find("[probe]") - models,
               "[models.small]\nengine = \"vllm\"\n"
               "[[models.small.replicas]]\nurl = \"http://small.test:8000\"\n"
               "[models.large]\nengine = \"vllm\"\n"
               "[[models.large.replicas]]\nurl = \"http://large.test:8000\"\n");
  const auto config = ParseConfig(text, kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->server.http.io_threads, UsableCores() < 8 ? 1 : 2);
}

TEST(ConfigTest, ReplicasWithoutTheirEngineAreNamed) {
  std::string text = Config();
  text.replace(text.find("path = \"/data/big.gguf\"\nchat_template = \"chatml\"\n"),
               std::string_view("path = \"/data/big.gguf\"\nchat_template = \"chatml\"\n").size(),
               "[[models.large.replicas]]\nurl = \"http://large.test:8000\"\n");
  EXPECT_THAT(ErrorOf(text),
              HasSubstr("models.large.engine: is missing: say what the replicas are, "
                        "one of vllm, "));
}

TEST(ConfigTest, ReadsVariantsAndWhoDrafts) {
  auto config = ParseConfig(Config(), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->models[1].draft_model, "");
  EXPECT_EQ(ResidentModels(*config).size(), 2u);
  config = ParseConfig(Models("w8a16_path = \"../models/tiny8.gguf\"\n",
                              "w8a16_path = \"/data/big8.gguf\"\ndraft_model = \"small\"\n"
                              "bandwidth_weight = 3\n"),
                       kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->models[1].draft_model, "small");
  const std::vector<ModelSettings> resident = ResidentModels(*config);
  ASSERT_EQ(resident.size(), 4u);
  EXPECT_EQ(resident[2].name, "tiny-w8a16");
  EXPECT_EQ(resident[2].path, AIO_SOURCE_DIR "/models/tiny8.gguf");
  EXPECT_EQ(resident[3].name, "large-w8a16");
  EXPECT_EQ(resident[3].path, "/data/big8.gguf");
  EXPECT_EQ(resident[3].bandwidth_weight, 3) << "its model's";
}

TEST(ConfigTest, OnlyTheSmallModelDrafts) {
  EXPECT_THAT(ErrorOf(Models("draft_model = \"small\"\n", "")),
              HasSubstr("models.small.draft_model: the small model is the one that drafts"));
  EXPECT_THAT(ErrorOf(Models("draft_model = \"\"\n", "")), HasSubstr("models.small.draft_model"));
  EXPECT_THAT(ErrorOf(Models("", "draft_model = \"large\"\n")),
              HasSubstr("models.large.draft_model: must be a role that can draft, \"small\", is "
                        "\"large\""));
  EXPECT_THAT(ErrorOf(Models("", "draft_model = \"tiny\"\n")), HasSubstr("a role that can draft"));
  EXPECT_THAT(ErrorOf(Models("", "w8a16_path = \"\"\n")), HasSubstr("models.large.w8a16_path"));
}

TEST(ConfigTest, ReadsTheProbesWindow) {
  const auto with = [](const std::string& window) {
    std::string text = Config();
    text.insert(text.find("suffix"), "window_tokens = " + window + "\n");
    return text;
  };
  EXPECT_EQ(ParseConfig(with("512"), kSource)->probe.window_tokens, 512);
  EXPECT_EQ(ParseConfig(Config(), kSource)->probe.window_tokens, 0);
  EXPECT_THAT(ErrorOf(with("32")), HasSubstr("probe.window_tokens: must be 0"));
}

class ConfigHeadTest : public testing::Test {
 protected:
  void SetUp() override {
    HeadFile file;
    file.head.hidden_size = 1;
    file.head.weights = {1, 2, 3};
    file.head.bias = {0, 0.5f, 0};
    file.labels = {"qa", "math", "code"};
    file.num_layers = 2;
    std::ofstream(path_) << ToToml(file);
  }
  void TearDown() override { std::remove(path_.c_str()); }

  // The configuration with its [probe] table replaced.
  std::string WithProbe(const std::string& probe) const {
    std::string text = Config();
    const size_t begin = text.find("[probe]");
    return text.replace(begin, text.find("[routing]") - begin, "[probe]\n" + probe + "\n");
  }
  std::string HeadLine() const { return "head = \"" + path_ + "\"\n"; }

  const std::string path_ = testing::TempDir() + "config_test_head.toml";
};

TEST_F(ConfigHeadTest, AHeadNeedsNoTemplate) {
  auto config = ParseConfig(WithProbe(HeadLine()), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->probe.labels[2].name, "code");
  EXPECT_EQ(config->probe.head->bias[1], 0.5f);
  EXPECT_FALSE(config->probe.early_exit);
  EXPECT_EQ(config->probe_head->num_layers, 2);
  // Labels that are named give the order.
  config = ParseConfig(WithProbe(HeadLine() + "head_early_exit = true\n"
                                              "labels = [{ name = \"math\" }, { name = \"code\" }, "
                                              "{ name = \"qa\" }]"),
                       kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->probe.head->bias[0], 0.5f);
  EXPECT_TRUE(config->probe.early_exit);
}

TEST_F(ConfigHeadTest, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf(WithProbe("head = \"gone.toml\"")), HasSubstr("config/gone.toml"));
  EXPECT_THAT(ErrorOf(WithProbe("head = \"\"")), HasSubstr("probe.head: is empty"));
  EXPECT_THAT(ErrorOf(WithProbe("head_early_exit = true\nsuffix = \"?\"\nlabels = [{ name = "
                                "\"a\", word = \"a\" }, { name = \"b\", word = \"b\" }]")),
              HasSubstr("probe.head_early_exit: there is no head"));
  EXPECT_THAT(ErrorOf(WithProbe(HeadLine() + "labels = [{ name = \"code\" }, { name = \"qa\" }]")),
              HasSubstr("the head has: qa, math, code"));
}

TEST(ConfigTest, ReadsVirtualNames) {  // [routing] is what Config() ends with
  const auto config = ParseConfig(Config("virtual_names = [\"best\"]\n"), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_THAT(config->virtual_names, ElementsAre("best"));
}

TEST(ConfigTest, ReadsEngineAndServer) {
  const auto config =
      ParseConfig(Config("[engine]\nthreads = 3\nkv_type = \"f32\"\nkv_cache_tokens = 4096\n"
                         "max_draft_tokens = 0\nprefill_step_max_ms = 250\n"
                         "prefix_caching = false\npin_threads = true\n"
                         "[server]\nport = 0\nhost = \"::1\"\nconnections_max = 7\n"
                         "body_bytes_max = 65536\nrequest_timeout_seconds = 600\n"
                         "drain_notice_seconds = 5\nio_threads = 3\n"),
                  kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->engine.num_threads, 3);
  EXPECT_EQ(config->engine.kv_type, KvType::kF32);
  EXPECT_EQ(config->engine.kv_cache_tokens, 4096);
  EXPECT_EQ(config->engine.max_draft_tokens, 0);
  EXPECT_EQ(config->engine.prefill_step_max, std::chrono::milliseconds(250));
  EXPECT_FALSE(config->engine.prefix_caching);
  EXPECT_TRUE(config->engine.pin_threads);
  EXPECT_EQ(config->server.port, 0);
  EXPECT_EQ(config->server.http.connections_max, 7);
  EXPECT_EQ(config->server.http.body_bytes_max, 65536u);
  EXPECT_EQ(config->server.request_timeout, std::chrono::minutes(10));
  EXPECT_EQ(config->server.drain_notice, std::chrono::seconds(5));
  EXPECT_EQ(config->server.http.io_threads, 3);
  const auto plain = ParseConfig(Config(), kSource);
  ASSERT_TRUE(plain.ok()) << plain.status().ToString();
  EXPECT_EQ(plain->server.http.io_threads, 2);
}

TEST(ConfigTest, ReadsTheDecisionLog) {
  EXPECT_EQ(ParseConfig(Config(), kSource)->decision_log.path, "") << "none is kept unasked";
  const auto config =
      ParseConfig(Config("[decision_log]\npath = \"../log/decisions.db\"\ntext = true\n"
                         "retention_days = 30\nqueue_max = 99\nredact = ['\\d{4,}']\n"),
                  kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->decision_log.path, AIO_SOURCE_DIR "/log/decisions.db");
  EXPECT_TRUE(config->decision_log.text);
  EXPECT_EQ(config->decision_log.retention_days, 30);
  EXPECT_EQ(config->decision_log.queue_max, 99);
  EXPECT_THAT(config->decision_log.redact, ElementsAre("\\d{4,}"));

  EXPECT_THAT(ErrorOf(Config("[decision_log]\n")), HasSubstr("decision_log.path: is missing"));
  EXPECT_THAT(ErrorOf(Config("[decision_log]\npath = \"\"\n")), HasSubstr("decision_log.path"));
  EXPECT_THAT(ErrorOf(Config("[decision_log]\npath = \"x\"\nredact = [\"fine\", \"(\"]\n")),
              HasSubstr("decision_log.redact: pattern 2, '('"));
  EXPECT_THAT(ErrorOf(Config("[decision_log]\npath = \"x\"\nretention_days = -1\n")),
              HasSubstr("decision_log.retention_days"));
  EXPECT_THAT(ErrorOf(Config("[decision_log]\npath = \"x\"\nqueue_max = 0\n")),
              HasSubstr("decision_log.queue_max"));
}

TEST(ConfigTest, ADecisionLogInADatabaseIsNamedByAVariable) {
  const std::string url = "postgresql://aio:s3cret@db.example/log?sslmode=verify-full";
  setenv("AIO_TEST_URL", url.c_str(), 1);
  const auto config = ParseConfig(Config("[decision_log]\nurl_env = \"AIO_TEST_URL\"\n"), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->decision_log.url, url);
  EXPECT_EQ(config->decision_log.path, "");
  EXPECT_TRUE(config->decision_log.is_kept());

  EXPECT_THAT(ErrorOf(Config("[decision_log]\nurl_env = \"AIO_TEST_URL\"\npath = \"x\"\n")),
              HasSubstr("decision_log.path: stands beside url_env"));
  EXPECT_THAT(ErrorOf(Config("[decision_log]\npath = \"" + url + "\"\n")),
              HasSubstr("decision_log.path: is a URL"));
  setenv("AIO_TEST_URL", "postgresql://aio:s3cret@db:port/log", 1);
  const std::string wrong = ErrorOf(Config("[decision_log]\nurl_env = \"AIO_TEST_URL\"\n"));
  EXPECT_THAT(wrong, HasSubstr("decision_log.url_env: what the environment variable AIO_TEST_URL "
                               "holds is not the URL"));
  EXPECT_THAT(wrong, Not(HasSubstr("s3cret")));
  unsetenv("AIO_TEST_URL");
  EXPECT_THAT(ErrorOf(Config("[decision_log]\nurl_env = \"AIO_TEST_URL\"\n")),
              HasSubstr("AIO_TEST_URL is not set"));
}

TEST(ConfigTest, ASecretInPlaceOfAVariablesNameIsNotShown) {
  const std::string url = "postgresql://aio:s3cret@db.example/log";
  for (const std::string& table :
       {"[decision_log]\nurl_env = \"" + url + "\"\n",
        "[server]\nkeys_file = \"x\"\nlimits_url_env = \"" + url + "\"\n",
        std::string("[server]\napi_key_env = \"sk-s3cret\"\n")}) {
    const std::string error = ErrorOf(Config(table));
    EXPECT_THAT(error, HasSubstr("_env: must be the name of an environment variable")) << table;
    EXPECT_THAT(error, Not(HasSubstr("s3cret")));
  }
}

TEST(ConfigTest, AVariableThatHoldsNoUrlIsRefusedUnseen) {
  setenv("AIO_TEST_URL", "postgres:/aio:s3cret@db.example/log", 1);
  const Status refused = ReadNamedDatabaseUrl("AIO_TEST_URL").status();
  EXPECT_THAT(refused.message(), HasSubstr("AIO_TEST_URL holds is not the URL"));
  EXPECT_THAT(refused.message(), Not(HasSubstr("s3cret")));
  unsetenv("AIO_TEST_URL");
}

TEST(ConfigTest, ReadsEveryKvType) {
  for (const KvType type : kAllKvTypes) {
    const std::string name(KvTypeName(type));
    const auto config = ParseConfig(Config("[engine]\nkv_type = \"" + name + "\"\n"), kSource);
    ASSERT_TRUE(config.ok()) << config.status().ToString();
    EXPECT_EQ(config->engine.kv_type, type) << name;
  }
}

TEST(ConfigTest, AsManyThreadsAsUsableCoresUnlessToldOtherwise) {
  EXPECT_EQ(ParseConfig(Config(), kSource)->engine.num_threads, UsableCores());
  EXPECT_EQ(ParseConfig(Config("[engine]\nthreads = 0\n"), kSource)->engine.num_threads,
            UsableCores());
}

TEST(ConfigTest, NamesFileKeyAndMend) {
  EXPECT_THAT(ErrorOf(Config("[engine]\nmax_waiting = 0\n")), HasSubstr("engine.max_waiting"));
  EXPECT_THAT(ErrorOf(Config("[engine]\nthread = 3\n")), HasSubstr("engine.thread"));
  EXPECT_THAT(ErrorOf(Config("[engine]\nthreads = \"3\"\n")), HasSubstr("engine.threads"));
  EXPECT_THAT(ErrorOf(Config("[engine]\nkv_type = \"q4\"\n")),
              HasSubstr("\"f16\", \"q8_0\" or \"f32\""));
  EXPECT_THAT(ErrorOf(Config("[engine]\npin_threads = 1\n")), HasSubstr("true or false"));
  EXPECT_THAT(ErrorOf(Config("[server]\nport = 70000\n")), HasSubstr("server.port"));
  EXPECT_THAT(ErrorOf(Config("[server]\nhost = \"\"\n")), HasSubstr("server.host"));
  EXPECT_THAT(ErrorOf(Config("[server]\nbody_bytes_max = 0\n")), HasSubstr("body_bytes_max"));
  EXPECT_THAT(ErrorOf(Config("", "2")), HasSubstr("version"));
  EXPECT_THAT(ErrorOf("version = 1"), HasSubstr("models"));
  EXPECT_THAT(ErrorOf("version = "), HasSubstr("config/test.toml"));
  EXPECT_THAT(LoadConfig("/nowhere/aio.toml").status().message(), HasSubstr("/nowhere/aio.toml"));
}

TEST(ConfigTest, TakesTheKeyFromTheEnvironmentOnly) {
  EXPECT_THAT(ErrorOf(Config("[server]\napi_key = \"secret\"\n")), HasSubstr("server.api_key"));
  EXPECT_THAT(ErrorOf(Config("[server]\napi_key_env = \"AIO_TEST_UNSET\"\n")),
              HasSubstr("AIO_TEST_UNSET"));
  ASSERT_EQ(setenv("AIO_TEST_KEY", "secret", 1), 0);
  const auto config = ParseConfig(Config("[server]\napi_key_env = \"AIO_TEST_KEY\"\n"), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->server.api_key, "secret");
}

TEST(ConfigTest, TheBundledConfigurationIsFoundAndRight) {
  const auto path = FindDefaultConfig();
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  const auto config = LoadConfig(*path);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->models[1].draft_model, "small");
}

class ConfigAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    keys_ = testing::TempDir() + "/keys-" + name + ".toml";
    ASSERT_TRUE(EditKeysFile(keys_, [](std::vector<ApiKey>& keys) {
                  keys.assign(1, TheOneKey("secret"));
                  return Status::Ok();
                }).ok());
  }
  void TearDown() override { std::remove(keys_.c_str()); }

  std::string keys_;
};

TEST_F(ConfigAccessTest, ReadsWhoIsServed) {
  const auto config = ParseConfig(Config("[server]\nkeys_file = \"" + keys_ +
                                         "\"\nheader_bytes_max = 2048\nidle_timeout_seconds = 5\n"
                                         "[server.cors]\norigins = [\"https://a.org\"]\n"
                                         "[admission]\nrunning_max = 3\nwaiting_per_key_max = 4\n"),
                                  kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->keys_file, keys_);
  EXPECT_EQ(config->limits_url, "") << "limits are a server's own";
  ASSERT_EQ(config->keys.size(), 1u);
  EXPECT_TRUE(AsksForKeys(*config));
  EXPECT_EQ(config->server.http.header_bytes_max, 2048u);
  EXPECT_EQ(config->server.http.idle_timeout, std::chrono::seconds(5));
  EXPECT_THAT(config->server.cors_origins, ElementsAre("https://a.org"));
  EXPECT_EQ(EffectiveLimits(*config).running_max, 3);
  EXPECT_EQ(EffectiveLimits(*config).waiting_max, 1024);
  EXPECT_EQ(EffectiveLimits(*config).waiting_per_client_max, 4);
}

TEST_F(ConfigAccessTest, ByDefaultAllMayAskAndNobodyElsesPages) {
  const auto config = ParseConfig(Config(), kSource);
  EXPECT_FALSE(AsksForKeys(*config));
  EXPECT_TRUE(config->server.cors_origins.empty());
  EXPECT_FALSE(config->server.http.tls);
  EXPECT_EQ(EffectiveLimits(*config).running_max, 2 * config->engine.max_running);
}

TEST_F(ConfigAccessTest, FaultsNameTheMend) {
  EXPECT_THAT(ErrorOf(Config("[server]\nkeys_file = \"none.toml\"")),
              HasSubstr("aio keys add NAME --file"));
  ASSERT_EQ(::chmod(keys_.c_str(), 0644), 0);
  EXPECT_THAT(ErrorOf(Config("[server]\nkeys_file = \"" + keys_ + "\"")), HasSubstr("chmod 600"));
  EXPECT_THAT(ErrorOf(Config("[server]\nkeys_file = \"\"")), HasSubstr("server.keys_file"));
  EXPECT_THAT(
      ErrorOf(Config("[server]\nkeys_file = \"x\"\nlimits_url_env = \"AIO_TEST_NONE\"")),
      HasSubstr("server.limits_url_env: the environment variable AIO_TEST_NONE is not set"));
  setenv("AIO_TEST_URL", "postgresql://db.example/limits", 1);
  EXPECT_THAT(ErrorOf(Config("[server]\nlimits_url_env = \"AIO_TEST_URL\"")),
              HasSubstr("server.limits_url_env: stands without keys_file"));
  EXPECT_THAT(ErrorOf(Config("[server.cors]\norigins = [\"a.org/\"]")), HasSubstr("is no origin"));
  EXPECT_THAT(ErrorOf(Config("[server.tls]\ncertificate = \"none.crt\"")),
              HasSubstr("server.tls.key"));
  EXPECT_THAT(ErrorOf(Config("[server.tls]\ncertificate = \"none.crt\"\nkey = \"none.key\"")),
              HasSubstr("none.crt: cannot open"));
  EXPECT_THAT(ErrorOf(Config("[admission]\nrunning_max = -1")), HasSubstr("admission.running_max"));
}

TEST(ConfigTest, ReadsWhereTracesGo) {
  const auto config = ParseConfig(
      Config("[tracing]\nendpoint = \"http://127.0.0.1:4318\"\nsample_ratio = 0.5\n"), kSource);
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->tracing.endpoint, "http://127.0.0.1:4318/v1/traces");
  EXPECT_EQ(config->tracing.sample_ratio, 0.5);
  EXPECT_EQ(ParseConfig(Config(), kSource)->tracing.endpoint, "") << "nothing is traced";
  EXPECT_THAT(ErrorOf(Config("[tracing]\nendpoint = \"here\"\n")), HasSubstr("tracing.endpoint"));
}

}  // namespace
}  // namespace aio
