// A configuration that changes under a server that serves.
#include "app/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "access/keys_file.h"
#include "app/config_access.h"
#include "app/release_thread.h"
#include "app/runtime.h"
#include "app/serve_admission.h"
#include "backend/testing/fake_backend.h"
#include "http/test_client.h"

namespace aio {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Policy(const std::string& name, const std::string& role) {
  return "version = 1\nname = \"" + name + "\"\nprobe_prompt_tokens_max = 0\n" +
         "rule = [{ name = \"all\", role = \"" + role + "\", strategy = \"plain\" }]\n";
}

class ReloadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "aio-reload-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    Write("policy.toml", Policy("first", "small"));
    Write("aio.toml", Config());
    SetKey("alice");
    const AppConfig config = LoadConfig(Path("aio.toml")).value();
    ServerOptions options = config.server;
    options.port = 0;
    access_ = std::make_shared<AccessControl>(AllKeys(config), AsksForKeys(config), clock_.Now());
    options.access = access_;
    ServedModels models = Serve(config, backend_).value();
    router_ = std::make_unique<CurrentRouter>(models.router);
    admission_ = std::make_unique<AdmissionBackend>(*router_, EffectiveLimits(config), clock_);
    ConnectReloads(counts_, options);
    server_ = Server::Create(*admission_, std::move(options), clock_).value();
    ASSERT_TRUE(server_->Start().ok());
    reloader_ = std::make_unique<Reloader>(
        [this] { return LoadConfig(Path("aio.toml")); }, config, ConfigFiles(config),
        ReloadTargets{
            .router = *router_,
            .models = std::move(models),
            .load_models =
                [this](const AppConfig& changed, auto sessions) {
                  sessions_ = std::move(sessions);
                  return Load(changed);
                },
            .admission = *admission_,
            .access = *access_,
            .server = *server_,
            .clock = clock_,
            .on_policy =
                [this](const RoutingPolicy& policy) { policies_.push_back(policy.name()); }},
        counts_,
        std::make_shared<spdlog::logger>("test",
                                         std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string Config(const std::string& small_path = "tiny.gguf",
                            const std::string& admission = "",
                            const std::string& small_name = "tiny") {
    return "version = 1\n[models.small]\nname = \"" + small_name + "\"\npath = \"" + small_path +
           R"("
[models.large]
name = "big"
path = "big.gguf"
[server]
keys_file = "keys.toml"
[probe]
suffix = "?"
labels = [{ name = "code", word = "c" }, { name = "qa", word = "q" }]
[routing]
policy = "policy.toml"
)" + admission;
  }

  // A router over the models of `backend`, owned by something whose end is seen.
  Result<ServedModels> Serve(const AppConfig& config, FakeBackend& backend) {
    ServedModels models;
    models.options.small = {.backend = &backend, .model = config.models[0].name};
    models.options.large = {.backend = &backend, .model = config.models[1].name};
    AIO_RETURN_IF_ERROR(ConfigureRouter(config, models.options));
    AIO_ASSIGN_OR_RETURN(std::shared_ptr<Router> router, Router::Create(models.options, clock_));
    models.owner =
        releases_.Share(std::make_unique<std::shared_ptr<Router>>(router), [this] { ++released_; });
    models.router = std::shared_ptr<Router>(models.owner, router.get());
    return models;
  }

  Result<ServedModels> Load(const AppConfig& config) {
    ++loads_;
    if (while_loading_ != nullptr) while_loading_();
    AIO_RETURN_IF_ERROR(load_fault_);
    return Serve(config, others_);
  }

  template <typename Condition>
  static bool Eventually(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + TestClient::kPatience;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return condition();
  }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(Path(name)) << text;
  }

  // The only key's name; its secret is the same.
  void SetKey(const std::string& name) {
    ASSERT_TRUE(EditKeysFile(Path("keys.toml"), [&](std::vector<ApiKey>& keys) {
                  keys.resize(1);
                  keys[0].name = name;
                  keys[0].hash = HashSecret(name);
                  return Status::Ok();
                }).ok());
  }

  void Ask(TestClient& client, const std::string& key = "alice") {
    client.Request("POST", "/v1/completions", R"({"model": "auto", "prompt": "Hi"})",
                   "Authorization: Bearer " + key + "\r\n");
  }

  // Asks on a connection of its own and waits for the answer.
  TestClient::Response Answer(const std::string& key = "alice") {
    TestClient client(server_->port());
    Ask(client, key);
    std::thread deliver([&] {
      while (!done_) {
        backend_.DeliverAll();
        others_.DeliverAll();
        std::this_thread::yield();
      }
    });
    TestClient::Response response = client.Read();
    done_ = true;
    deliver.join();
    done_ = false;
    return response;
  }

  std::string ModelOf(const TestClient::Response& response) {
    return std::string(response.headers.Get("x-aio-model"));
  }

  fs::path folder_;
  ManualClock clock_;
  std::atomic<int> released_ = 0;
  ReleaseThread releases_;  // outlives whatever holds models: requests, too
  FakeBackend backend_{{FakeModel::Named("tiny", "small"), FakeModel::Named("big", "large")},
                       FakeBackend::Delivery::kManual};
  // What a reload loads.
  FakeBackend others_{{FakeModel::Named("tiny", "small"), FakeModel::Named("tinier", "small"),
                       FakeModel::Named("big", "large")},
                      FakeBackend::Delivery::kManual};
  Status load_fault_;
  int loads_ = 0;
  std::function<void()> while_loading_;
  std::vector<std::string> policies_;       // that were told of
  std::shared_ptr<SessionTable> sessions_;  // that the last load was given
  std::shared_ptr<AccessControl> access_;
  std::unique_ptr<CurrentRouter> router_;
  std::unique_ptr<AdmissionBackend> admission_;
  ReloadCounts counts_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Reloader> reloader_;
  std::ostringstream log_;
  std::atomic<bool> done_ = false;
};

TEST_F(ReloadTest, ANewPolicyIsForNewRequests) {
  TestClient running(server_->port());
  Ask(running);
  while (backend_.pending() == 0) std::this_thread::yield();
  backend_.DeliverOne();  // it has begun

  Write("policy.toml", Policy("second", "large"));
  ASSERT_TRUE(reloader_->Reload().ok()) << log_.str();
  EXPECT_THAT(log_.str(), HasSubstr("policy second, 1 keys"));
  EXPECT_EQ(ModelOf(Answer()), "big");

  const TestClient::Response old = running.Read();
  EXPECT_EQ(old.status, 200) << "what runs is not disturbed";
  EXPECT_EQ(ModelOf(old), "tiny");
}

TEST_F(ReloadTest, KeysComeAndGo) {
  EXPECT_EQ(Answer("bob").status, 401);
  SetKey("bob");
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(Answer("bob").status, 200);
  EXPECT_EQ(Answer("alice").status, 401);
}

TEST_F(ReloadTest, WhatIsWrongChangesNothing) {
  Write("policy.toml", Policy("second", "large"));
  Write("keys.toml", "version = 1\n[[key]]\nname = \"x\"\n");
  EXPECT_FALSE(reloader_->Reload().ok());
  EXPECT_THAT(log_.str(), HasSubstr("keys.toml"));
  EXPECT_THAT(log_.str(), HasSubstr("sha256"));
  EXPECT_THAT(log_.str(), HasSubstr("the one before stays in force"));
  EXPECT_EQ(ModelOf(Answer()), "tiny");
  EXPECT_THAT(server_->Metrics(), HasSubstr("aio_config_reloads_total{result=\"failure\"} 1"));
  EXPECT_THAT(server_->Metrics(), HasSubstr("aio_config_reloads_total{result=\"success\"} 0"));
  EXPECT_THAT(server_->Metrics(), HasSubstr("aio_config_last_reload_successful 0"));

  // A policy that reads well and fits neither the labels nor the models is as wrong.
  fs::remove(Path("keys.toml"));
  SetKey("alice");
  Write("policy.toml",
        "version = 1\nname = \"third\"\nprobe_prompt_tokens_max = 9\nrule = [{ name "
        "= \"r\", intent = \"chess\", role = \"large\", strategy = \"plain\" }]\n");
  EXPECT_FALSE(reloader_->Reload().ok());
  EXPECT_EQ(ModelOf(Answer()), "tiny");

  Write("policy.toml", Policy("second", "large"));
  EXPECT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(ModelOf(Answer()), "big");
  EXPECT_THAT(server_->Metrics(), HasSubstr("aio_config_last_reload_successful 1"));
}

TEST_F(ReloadTest, LimitsOfTheQueue) {
  Write("aio.toml", Config("tiny.gguf", "[admission]\nrunning_max = 1\nwaiting_max = 0\n"));
  ASSERT_TRUE(reloader_->Reload().ok());
  TestClient running(server_->port());
  Ask(running);
  while (backend_.pending() == 0) std::this_thread::yield();
  TestClient another(server_->port());
  Ask(another);
  EXPECT_EQ(another.Read().status, 429);
}

TEST_F(ReloadTest, ModelsAreLoadedBesideThoseThatServe) {
  TestClient running(server_->port());
  Ask(running);
  while (backend_.pending() == 0) std::this_thread::yield();
  backend_.DeliverOne();  // it has begun

  Write("aio.toml", Config("other.gguf", "", "tinier"));
  ASSERT_TRUE(reloader_->Reload().ok()) << log_.str();
  EXPECT_THAT(log_.str(), HasSubstr("models.small.name, models.small.path"));
  EXPECT_EQ(loads_, 1);
  EXPECT_NE(sessions_, nullptr) << "conversations are remembered";
  TestClient another(server_->port());
  Ask(another);
  while (others_.pending() == 0) std::this_thread::yield();
  EXPECT_EQ(released_, 0) << "the old ones have work to do";
  others_.DeliverAll();
  EXPECT_EQ(ModelOf(another.Read()), "tinier");

  backend_.DeliverAll();
  const TestClient::Response old = running.Read();
  EXPECT_EQ(old.status, 200);
  EXPECT_EQ(ModelOf(old), "tiny");
  EXPECT_TRUE(Eventually([&] { return released_ == 1; })) << "they go with their last request";

  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(loads_, 1) << "nothing has changed since";
}

TEST_F(ReloadTest, AnotherPolicyLoadsNoModels) {
  Write("policy.toml", Policy("second", "large"));
  ASSERT_TRUE(reloader_->Reload().ok());
  Write("policy.toml", Policy("third", "small"));
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(loads_, 0);
  EXPECT_EQ(released_, 0);
  EXPECT_EQ(ModelOf(Answer()), "tiny");
}

TEST_F(ReloadTest, ModelsThatDoNotLoadChangeNothing) {
  load_fault_ = ResourceExhausted("other.gguf: not enough memory");
  Write("aio.toml", Config("other.gguf", "[admission]\nrunning_max = 1\nwaiting_max = 0\n"));
  EXPECT_FALSE(reloader_->Reload().ok());
  EXPECT_THAT(log_.str(), HasSubstr("not enough memory"));
  EXPECT_EQ(ModelOf(Answer()), "tiny");
  load_fault_ = Status::Ok();
  EXPECT_TRUE(reloader_->Reload().ok()) << "tried again";
  EXPECT_EQ(loads_, 2);
}

TEST_F(ReloadTest, AModelsFileInPlaceOfAnotherIsLoaded) {
  Write("tiny.gguf", "another");
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(loads_, 1);
  EXPECT_THAT(log_.str(), HasSubstr("their files changed"));
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(loads_, 1);
}

TEST_F(ReloadTest, WhatWaitsForARestartIsNamedInTheLog) {
  Write("aio.toml", Config() + "[decision_log]\npath = \"log.sqlite\"\n");
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_THAT(log_.str(), HasSubstr("before a restart: decision_log.path"));
  log_.str("");
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_THAT(log_.str(), HasSubstr("decision_log.path")) << "for as long as it waits";
}

TEST_F(ReloadTest, AServerWithKeysIsNeverOpenedByAReload) {
  std::string open = Config();
  open.replace(open.find("keys_file = \"keys.toml\""), 23, "");
  Write("aio.toml", open);
  EXPECT_FALSE(reloader_->Reload().ok());
  EXPECT_THAT(log_.str(), HasSubstr("would serve everyone"));
  EXPECT_EQ(Answer("nobody").status, 401);
}

TEST_F(ReloadTest, EachPolicyIsToldBeforeItDecides) {
  Write("policy.toml", Policy("second", "large"));
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_THAT(policies_, ElementsAre("second"));
}

TEST_F(ReloadTest, AChangeOfAnyFileIsSeenOnceItIsWhole) {
  EXPECT_FALSE(reloader_->FilesHaveChanged());
  for (const char* name : {"aio.toml", "policy.toml", "keys.toml"}) {
    std::ofstream(Path(name), std::ios::app) << "# longer\n";
    EXPECT_FALSE(reloader_->FilesHaveChanged()) << "who writes may not be done";
    EXPECT_TRUE(reloader_->FilesHaveChanged()) << name;
    EXPECT_FALSE(reloader_->FilesHaveChanged());
  }
  fs::remove(Path("policy.toml"));
  EXPECT_FALSE(reloader_->FilesHaveChanged());
  EXPECT_TRUE(reloader_->FilesHaveChanged());
}

// Such as a key that is revoked while models load.
TEST_F(ReloadTest, WhatChangesDuringAReloadIsSeenAfterIt) {
  while_loading_ = [this] { SetKey("bob"); };
  Write("aio.toml", Config("other.gguf"));
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_FALSE(reloader_->FilesHaveChanged());
  EXPECT_TRUE(reloader_->FilesHaveChanged());
  ASSERT_TRUE(reloader_->Reload().ok());
  EXPECT_EQ(Answer("bob").status, 200);
}

}  // namespace
}  // namespace aio
