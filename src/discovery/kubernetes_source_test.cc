// Discovery by Kubernetes' API, against a server that stands for it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "discovery/discovery.h"
#include "discovery/testing/kubernetes_server.h"
#include "discovery/testing/told.h"

namespace aio {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string Slice(const std::string& name, const std::vector<std::string>& addresses, int version) {
  std::string endpoints;
  for (const std::string& address : addresses) {
    endpoints += fmt::format(R"({}{{"addresses":["{}"]}})", endpoints.empty() ? "" : ",", address);
  }
  return fmt::format(R"({{"metadata":{{"name":"{}","resourceVersion":"{}"}},"addressType":"IPv4",)"
                     R"("endpoints":[{}],"ports":[{{"name":"http","port":8000}}]}})",
                     name, version, endpoints);
}

std::string List(const std::string& items, int version) {
  return fmt::format(
      R"({{"kind":"EndpointSliceList","metadata":{{"resourceVersion":"{}"}},"items":[{}]}})",
      version, items);
}

std::string Event(std::string_view type, const std::string& object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

std::string Replica(const std::string& address) {
  return "http://vllm.ns.svc:8000 " + address + ":8000";
}

int OptionOf(int socket, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket, level, name, &value, &size) == 0 ? value : -1;
}

// Of this process, the one whose other end has that port.
std::optional<int> SocketTo(int port) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int socket = std::stoi(entry.path().filename());
    sockaddr_in other{};
    socklen_t size = sizeof other;
    if (getpeername(socket, reinterpret_cast<sockaddr*>(&other), &size) != 0) continue;
    if (other.sin_family == AF_INET && ntohs(other.sin_port) == port) return socket;
  }
  return std::nullopt;
}

constexpr std::string_view kGone = R"({"kind":"Status","code":410,"reason":"Expired"})";

class KubernetesSourceTest : public testing::Test {
 protected:
  KubernetesSourceTest() {
    file_ = std::filesystem::path(testing::TempDir()) /
            (std::string("kubernetes_") +
             testing::UnitTest::GetInstance()->current_test_info()->name());
    ServeList({"10.0.0.1"}, 10);
  }
  ~KubernetesSourceTest() override { std::filesystem::remove(file_); }

  void ServeList(const std::vector<std::string>& addresses, int version) {
    server_.SetList({.status = 200, .body = List(Slice("a", addresses, version), version)});
  }

  DiscoverySettings Settings() {
    DiscoverySettings settings;
    settings.kind = DiscoveryKind::kKubernetes;
    settings.name = "http://vllm.ns:http";
    settings.interval = std::chrono::milliseconds(2);
    settings.kubernetes.api_url = server_.url();
    return settings;
  }
  void Start(const DiscoverySettings& settings) {
    auto started = StartDiscovery(settings, clock_, told_.OnReplicas(), told_.OnFault());
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    discovery_ = std::move(started).value();
  }
  void Start() { Start(Settings()); }
  std::string FaultOfSettings(const DiscoverySettings& settings) {
    return StartDiscovery(settings, clock_, told_.OnReplicas(), told_.OnFault()).status().message();
  }
  void WriteFile(std::string_view text) const { std::ofstream(file_, std::ios::trunc) << text; }

  ManualClock clock_;
  Told told_;
  std::filesystem::path file_;
  KubernetesServer server_;
  std::unique_ptr<Discovery> discovery_;  // last: it ends first
};

TEST_F(KubernetesSourceTest, ListsThenWatchesFromThere) {
  Start();
  EXPECT_THAT(told_.sets(), SizeIs(1));  // already there
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.1")}));
  const auto watch = server_.WaitForWatch(1);
  EXPECT_THAT(watch.target, HasSubstr("resourceVersion=10"));
  EXPECT_THAT(watch.target, HasSubstr("allowWatchBookmarks=true"));
  EXPECT_THAT(server_.requests()[0].target,
              HasSubstr("/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices?labelSelector="
                        "kubernetes.io%2Fservice-name%3Dvllm"));
  EXPECT_THAT(told_.faults(), IsEmpty());
}

TEST_F(KubernetesSourceTest, EventsChangeTheSet) {
  Start();
  server_.WaitForWatch(1);
  server_.Send(Event("ADDED", Slice("b", {"10.0.0.2"}, 11)));
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.1"), Replica("10.0.0.2")}));
  // In pieces, as the network has them.
  const std::string modified = Event("MODIFIED", Slice("b", {"10.0.0.3"}, 12));
  server_.Send(modified.substr(0, 50));
  server_.Send(modified.substr(50));
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.1"), Replica("10.0.0.3")}));
  server_.Send(Event("DELETED", Slice("a", {}, 13)));
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.3")}));
  server_.Send(Event("MODIFIED", Slice("b", {}, 14)));
  ASSERT_TRUE(told_.WaitForSet({}));  // the Service was scaled to nothing
  EXPECT_THAT(told_.faults(), IsEmpty());
}

TEST_F(KubernetesSourceTest, AWatchThatEndsGoesOnFromTheLastBookmark) {
  Start();
  server_.WaitForWatch(1);
  server_.Send(Event("BOOKMARK", R"({"metadata":{"resourceVersion":"77"}})"));
  server_.EndWatch();
  EXPECT_THAT(server_.WaitForWatch(2).target, HasSubstr("resourceVersion=77"));
  server_.Send(Event("ADDED", Slice("b", {"10.0.0.2"}, 78)));
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.1"), Replica("10.0.0.2")}));
  EXPECT_THAT(told_.faults(), IsEmpty());
  EXPECT_THAT(server_.requests(), SizeIs(3));  // listed once
}

TEST_F(KubernetesSourceTest, WhatIsForgottenIsListedAgain) {
  Start();
  server_.WaitForWatch(1);
  ServeList({"10.0.0.5"}, 50);
  server_.Send(Event("ERROR", std::string(kGone)));
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.5")}));
  EXPECT_THAT(server_.WaitForWatch(2).target, HasSubstr("resourceVersion=50"));
  EXPECT_THAT(told_.faults(), IsEmpty());  // it happens every day
}

TEST_F(KubernetesSourceTest, WhatIsForgottenBeforeTheWatchIsListedAgain) {
  server_.SetNextWatch({.status = 410, .body = std::string(kGone)});
  Start();
  ASSERT_TRUE(server_.WaitForLists(2));
  server_.WaitForWatch(2);
  EXPECT_THAT(told_.faults(), IsEmpty());
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(KubernetesSourceTest, ACutConnectionIsBegunAnew) {
  Start();
  server_.WaitForWatch(1);
  ServeList({"10.0.0.6"}, 60);
  server_.CutWatch();
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.6")}));
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_EQ(told_.faults()[0].code(), StatusCode::kUnavailable);
  EXPECT_TRUE(told_.faults()[1].ok());
}

TEST_F(KubernetesSourceTest, GarbageKeepsTheSetAndIsListedAnew) {
  Start();
  server_.WaitForWatch(1);
  server_.Send(
      Event("MODIFIED", R"({"metadata":{"name":"a","resourceVersion":"11"},"endpoints":7})"));
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("'endpoints' is no list"));
  EXPECT_TRUE(told_.faults()[1].ok());
  server_.WaitForWatch(2);
  server_.Send("\x01\x02 no JSON\n");
  ASSERT_TRUE(told_.WaitForFaults(4));
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(KubernetesSourceTest, ALineWithoutAnEndIsCutOff) {
  Start();
  server_.WaitForWatch(1);
  const std::string part(1 << 20, 'x');
  for (int i = 0; i < 5; ++i) server_.Send(part);
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("a line of more than"));
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(KubernetesSourceTest, AListWithoutAnEndIsCutOff) {
  server_.SetList({.status = 200, .body = std::string(9 << 20, ' ')});
  Start();
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("lists more than"));
}

TEST_F(KubernetesSourceTest, AnApiThatAnswersWithErrorsAloneIsAskedEverMoreSeldom) {
  constexpr int kErrors = 8;
  for (int i = 0; i < kErrors; ++i) {
    server_.SetNextWatch({.status = 200, .body = Event("ERROR", R"({"code":500})")});
  }
  const auto begin = std::chrono::steady_clock::now();
  Start();
  ASSERT_TRUE(server_.WaitForLists(kErrors + 1));
  // 2 ms after the first error, twice as long after each further one: 510 ms, give or take a fifth.
  // A slow machine only makes it longer.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(408));
  EXPECT_THAT(told_.faults().at(0).message(), HasSubstr("ends the watch with 500"));
}

// Whoever has gone without a word (a node without power) sends nothing more, and what is watched
// sends nothing for minutes either: the kernel has to ask.
TEST_F(KubernetesSourceTest, TheOtherEndOfAWatchIsAskedWhetherItIsThere) {
  Start();
  server_.WaitForWatch(1);
  const std::string url = server_.url();
  const std::optional<int> socket = SocketTo(std::stoi(url.substr(url.rfind(':') + 1)));
  ASSERT_TRUE(socket);
  EXPECT_EQ(OptionOf(*socket, SOL_SOCKET, SO_KEEPALIVE), 1);
  const int seconds =
      OptionOf(*socket, IPPROTO_TCP, TCP_KEEPIDLE) +
      OptionOf(*socket, IPPROTO_TCP, TCP_KEEPINTVL) * OptionOf(*socket, IPPROTO_TCP, TCP_KEEPCNT);
  EXPECT_EQ(seconds, 30) << "as docs/discovery.md says";
}

TEST_F(KubernetesSourceTest, AnApiThatIsAwayKeepsTheSetAndIsToldOnce) {
  Start();
  server_.WaitForWatch(1);
  server_.SetList({.status = 500, .body = "{}"});
  server_.CutWatch();
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_THAT(told_.faults()[1].message(), HasSubstr("answers 500"));
  ASSERT_TRUE(server_.WaitForLists(5));
  EXPECT_THAT(told_.faults(), SizeIs(2));
  EXPECT_THAT(told_.sets(), SizeIs(1));
  ServeList({"10.0.0.7"}, 70);
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.7")}));
  EXPECT_TRUE(told_.WaitForFaults(3));
}

TEST_F(KubernetesSourceTest, MissingRightsAreSaid) {
  server_.SetList({.status = 403, .body = "{}"});
  Start();
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_EQ(told_.faults()[0].code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("list and watch on endpointslices"));
  EXPECT_THAT(told_.sets(), IsEmpty());
}

TEST_F(KubernetesSourceTest, TokensAreReadAnewAsTheyRotate) {
  WriteFile("first\n");
  DiscoverySettings settings = Settings();
  settings.kubernetes.token_file = file_.string();
  Start(settings);
  EXPECT_EQ(server_.WaitForWatch(1).authorization, "Bearer first");
  WriteFile("second");
  server_.EndWatch();
  EXPECT_EQ(server_.WaitForWatch(2).authorization, "Bearer second");
  WriteFile("third\r\nx-header: smuggled");
  server_.EndWatch();
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("holds no token"));
  EXPECT_THAT(told_.faults()[0].message(), Not(HasSubstr("third")));
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(KubernetesSourceTest, AServiceThatIsNotThereIsSaid) {
  server_.SetList({.status = 200, .body = List("", 10)});
  Start();
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("is there a Service 'vllm'"));
  EXPECT_TRUE(told_.WaitForSet({}));
  server_.WaitForWatch(1);
  server_.Send(Event("ADDED", Slice("a", {"10.0.0.1"}, 11)));
  ASSERT_TRUE(told_.WaitForSet({Replica("10.0.0.1")}));
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_TRUE(told_.faults()[1].ok());
}

TEST_F(KubernetesSourceTest, EndsInTheMiddleOfAWatch) {
  Start();
  server_.WaitForWatch(1);
  discovery_.reset();  // would wait for two minutes if the watch were not ended
  EXPECT_THAT(told_.faults(), IsEmpty());
}

TEST_F(KubernetesSourceTest, TheNamespaceMayBeThePodsOwn) {
  WriteFile("ns");
  DiscoverySettings settings = Settings();
  settings.name = "http://vllm";
  settings.kubernetes.namespace_file = file_.string();
  Start(settings);
  EXPECT_TRUE(told_.WaitForSet({Replica("10.0.0.1")}));
}

TEST_F(KubernetesSourceTest, SettingsThatWillNotDoAreErrors) {
  DiscoverySettings settings = Settings();
  for (const char* name : {"http://vllm.ns.example:80", "http://vllm..ns", "http://a_b.ns",
                           "http://vllm.", "http://vllm.ns:70000", "vllm.ns"}) {
    settings.name = name;
    EXPECT_THAT(FaultOfSettings(settings), HasSubstr(name));
  }
  settings = Settings();
  settings.kubernetes.api_url = "10.0.0.1:443";
  EXPECT_THAT(FaultOfSettings(settings), HasSubstr("'10.0.0.1:443'"));
  settings.kubernetes.api_url.clear();
  unsetenv("KUBERNETES_SERVICE_HOST");  // where the tests run may be a pod
  EXPECT_THAT(FaultOfSettings(settings), HasSubstr("KUBERNETES_SERVICE_HOST is not set"));
}

TEST_F(KubernetesSourceTest, LongNamesOfTheServiceAreTaken) {
  DiscoverySettings settings = Settings();
  settings.name = "http://vllm.ns.svc.cluster.local:8000";
  Start(settings);
  EXPECT_TRUE(told_.WaitForSet({Replica("10.0.0.1")}));
}

}  // namespace
}  // namespace aio
