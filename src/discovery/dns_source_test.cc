// Discovery by DNS, against a name server of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "discovery/discovery.h"
#include "discovery/testing/dns_server.h"
#include "discovery/testing/told.h"

namespace aio {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kServerFailed = 2;
constexpr int kNoSuchName = 3;
constexpr int kRefused = 5;

DnsTestAnswer Addresses(const std::vector<std::string>& addresses) {
  DnsTestAnswer answer;
  for (const std::string& address : addresses) answer.records.push_back(AddressRecord(address));
  return answer;
}

DnsTestAnswer Failing(int code) { return {.code = code, .truncated = false, .records = {}}; }

class DnsSourceTest : public testing::Test {
 protected:
  void Start(const std::string& name, DiscoveryKind kind = DiscoveryKind::kDns) {
    DiscoverySettings settings;
    settings.kind = kind;
    settings.name = name;
    settings.interval = std::chrono::milliseconds(5);
    settings.weight = 2;
    settings.zone = "a";
    settings.strategy = "plain";
    settings.dns_server = server_.address();
    settings.dns_search = search_;
    auto started = StartDiscovery(settings, clock_, told_.OnReplicas(), told_.OnFault());
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    discovery_ = std::move(started).value();
  }
  void Start(DiscoveryKind kind) { Start("http://_http._tcp.vllm.test", kind); }

  void SetSrv(std::vector<DnsTestRecord> records) {
    server_.Set("_http._tcp.vllm.test", kDnsTypeSrv,
                DnsTestAnswer{.code = 0, .truncated = false, .records = std::move(records)});
  }

  ManualClock clock_;
  Told told_;
  DnsServer server_;
  std::vector<std::string> search_;
  std::unique_ptr<Discovery> discovery_;  // last: it ends first
};

TEST_F(DnsSourceTest, EachAddressIsAReplica) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.2", "10.0.0.1"}));
  server_.Set("vllm.test", kDnsTypeAaaa, Addresses({"2001:db8::1"}));
  Start("https://vllm.test:8000/large");
  const auto sets = told_.sets();  // already there
  ASSERT_THAT(sets, SizeIs(1));
  ReplicaSpec replica{.url = "https://vllm.test:8000/large",
                      .address = "10.0.0.1",
                      .port = 0,
                      .weight = 2,
                      .zone = "a",
                      .strategy = "plain"};
  ReplicaSpec second = replica;
  second.address = "10.0.0.2";
  ReplicaSpec third = replica;
  third.address = "2001:db8::1";
  EXPECT_THAT(sets[0], ElementsAre(replica, second, third));
  EXPECT_THAT(told_.faults(), IsEmpty());
}

TEST_F(DnsSourceTest, TellsChangesAndNothingElse) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1", "10.0.0.2"}));
  Start("http://vllm.test:8000");
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.2", "10.0.0.1"}));  // only reordered
  ASSERT_TRUE(server_.WaitForQuestions(5));
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.3"}));
  ASSERT_TRUE(told_.WaitForSet({"http://vllm.test:8000 10.0.0.3"}));
  EXPECT_THAT(told_.sets(), SizeIs(2));
}

TEST_F(DnsSourceTest, FaultsOfServersKeepTheSetAndAreToldOnce) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  Start("http://vllm.test:8000");
  server_.Set("vllm.test", kDnsTypeA, Failing(kServerFailed));
  ASSERT_TRUE(told_.WaitForFaults(1));
  clock_.Advance(std::chrono::hours(24));
  ASSERT_TRUE(server_.WaitForQuestions(8));
  EXPECT_THAT(told_.sets(), SizeIs(1));
  // Another code of failure, and the same to whoever reads it; then something else.
  server_.Set("vllm.test", kDnsTypeA, Failing(kRefused));
  ASSERT_TRUE(server_.WaitForQuestions(8));
  EXPECT_THAT(told_.faults(), SizeIs(1));
  server_.Set(
      "vllm.test", kDnsTypeA,
      DnsTestAnswer{.code = 0, .truncated = false, .records = {{.type = kDnsTypeA, .data = {}}}});
  ASSERT_TRUE(told_.WaitForFaults(2));
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.2"}));
  ASSERT_TRUE(told_.WaitForFaults(3));
  ASSERT_TRUE(told_.WaitForSet({"http://vllm.test:8000 10.0.0.2"}));
  const auto faults = told_.faults();
  EXPECT_THAT(faults[0].message(), HasSubstr("no name server could answer for 'vllm.test'"));
  EXPECT_THAT(faults[1].message(), HasSubstr("'vllm.test': the name server's answer is malformed"));
  EXPECT_TRUE(faults[2].ok());
}

TEST_F(DnsSourceTest, AbsentNamesKeepTheSetForAWhile) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  Start("http://vllm.test:8000");
  server_.Set("vllm.test", kDnsTypeA, Failing(kNoSuchName));
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("name servers know no 'vllm.test'"));
  clock_.Advance(std::chrono::seconds(59));
  ASSERT_TRUE(server_.WaitForQuestions(8));
  EXPECT_THAT(told_.sets(), SizeIs(1));
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_TRUE(told_.WaitForSet({}));
}

TEST_F(DnsSourceTest, AnAbsenceThatEndsCountsAnew) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  Start("http://vllm.test:8000");
  for (size_t time = 0; time < 3; ++time) {
    server_.Set("vllm.test", kDnsTypeA, Failing(kNoSuchName));
    ASSERT_TRUE(told_.WaitForFaults(2 * time + 1));
    clock_.Advance(std::chrono::seconds(40));
    server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
    ASSERT_TRUE(told_.WaitForFaults(2 * time + 2));
  }
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(DnsSourceTest, OneFamilysFaultKeepsItsAddresses) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  server_.Set("vllm.test", kDnsTypeAaaa, Addresses({"2001:db8::1"}));
  Start("http://vllm.test");
  server_.Set("vllm.test", kDnsTypeAaaa, Failing(kServerFailed));
  ASSERT_TRUE(told_.WaitForFaults(1));
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.2"}));
  EXPECT_TRUE(told_.WaitForSet({"http://vllm.test 10.0.0.2", "http://vllm.test 2001:db8::1"}));
}

TEST_F(DnsSourceTest, NamesThatAreNotYetThereAreFoundLater) {
  Start("http://vllm.test");
  EXPECT_THAT(told_.sets(), IsEmpty());
  ASSERT_TRUE(told_.WaitForFaults(1));
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  EXPECT_TRUE(told_.WaitForSet({"http://vllm.test 10.0.0.1"}));
}

TEST_F(DnsSourceTest, LongAnswersComeOverTcp) {
  std::vector<std::string> many;
  std::vector<std::string> expected;
  for (int i = 100; i < 250; ++i) {
    many.push_back("10.0.0." + std::to_string(i));
    expected.push_back("http://vllm.test " + many.back());
  }
  server_.Set("vllm.test", kDnsTypeA, [&](std::span<const uint8_t> query, bool over_tcp) {
    if (over_tcp) return WriteDnsAnswer(query, Addresses(many));
    return WriteDnsAnswer(query, {.code = 0, .truncated = true, .records = {}});
  });
  Start("http://vllm.test");
  EXPECT_TRUE(told_.WaitForSet(expected));
}

TEST_F(DnsSourceTest, ATruncatedAnswerWithoutTcpIsNoSet) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1", "10.0.0.2"}));
  Start("http://vllm.test");
  server_.Set("vllm.test", kDnsTypeA, [&](std::span<const uint8_t> query, bool over_tcp) {
    if (over_tcp) return std::vector<uint8_t>();  // hangs up
    return WriteDnsAnswer(query,
                          {.code = 0, .truncated = true, .records = {AddressRecord("10.0.0.1")}});
  });
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(DnsSourceTest, HostileAnswersKeepTheSet) {
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  Start("http://vllm.test");
  server_.Set("vllm.test", kDnsTypeA, [](std::span<const uint8_t> query, bool) {
    std::vector<uint8_t> answer = WriteDnsAnswer(query, Addresses({"10.6.6.6"}));
    answer[6] = answer[7] = 0xff;  // many more records than there are
    return answer;
  });
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("malformed"));
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.2"}));
  ASSERT_TRUE(told_.WaitForSet({"http://vllm.test 10.0.0.2"}));
  EXPECT_THAT(told_.sets(), SizeIs(2));
}

TEST_F(DnsSourceTest, AnswersToOtherQuestionsDoNotCount) {
  server_.Set("vllm.test", kDnsTypeA, [](std::span<const uint8_t> query, bool) {
    std::vector<uint8_t> answer = WriteDnsAnswer(query, Addresses({"10.6.6.6"}));
    answer[0] = static_cast<uint8_t>(~answer[0]);  // the id
    return answer;
  });
  server_.Set("vllm.test", kDnsTypeAaaa, Addresses({"2001:db8::1"}));
  Start("http://vllm.test");
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_TRUE(told_.WaitForSet({"http://vllm.test 2001:db8::1"}));
}

TEST_F(DnsSourceTest, BothFamiliesAreTakenFromOneNameOfTheSearchList) {
  search_ = {"ns.svc.test", "svc.test", "wild.test"};
  server_.Set("vllm.models.svc.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  server_.Set("vllm.models.svc.test", kDnsTypeAaaa, Addresses({}));
  server_.Set("vllm.models.wild.test", kDnsTypeA, Addresses({"10.6.6.6"}));
  server_.Set("vllm.models.wild.test", kDnsTypeAaaa, Addresses({"2001:db8::6"}));
  Start("http://vllm.models");
  ASSERT_TRUE(told_.WaitForSet({"http://vllm.models 10.0.0.1"}));
  EXPECT_THAT(told_.faults(), IsEmpty());
}

TEST_F(DnsSourceTest, ANameWithoutRecordsEndsTheSearch) {
  search_ = {"svc.test", "wild.test"};
  server_.Set("vllm.svc.test", kDnsTypeA, Addresses({}));
  server_.Set("vllm.svc.test", kDnsTypeAaaa, Addresses({}));
  server_.Set("vllm.wild.test", kDnsTypeA, Addresses({"10.6.6.6"}));
  Start("http://vllm");
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("'vllm.svc.test' has no "));
  EXPECT_THAT(told_.sets(), IsEmpty());
}

TEST_F(DnsSourceTest, DomainsWhoseServersFailOrRefuseHideNoName) {
  search_ = {"failing.test", "refusing.test", "svc.test"};
  for (const int type : {kDnsTypeA, kDnsTypeAaaa, kDnsTypeSrv}) {
    for (const std::string name : {"vllm", "_http._tcp.vllm"}) {
      server_.Set(name + ".failing.test", type, Failing(kServerFailed));
      server_.Set(name + ".refusing.test", type, Failing(kRefused));
    }
  }
  server_.Set("vllm.svc.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  Start("http://vllm");
  ASSERT_TRUE(told_.WaitForSet({"http://vllm 10.0.0.1"}));
  EXPECT_THAT(told_.faults(), IsEmpty());
  server_.Set(
      "_http._tcp.vllm.svc.test", kDnsTypeSrv,
      DnsTestAnswer{
          .code = 0, .truncated = false, .records = {SrvTestRecord(0, 0, 80, "pod-0.svc.test")}});
  Start("http://_http._tcp.vllm", DiscoveryKind::kSrv);
  EXPECT_TRUE(told_.WaitForSet({"http://pod-0.svc.test:80"}));
}

TEST_F(DnsSourceTest, AFaultOfOneDomainIsToldWhereNoNameIsFound) {
  search_ = {"failing.test", "svc.test"};
  server_.Set("vllm.failing.test", kDnsTypeA, Failing(kServerFailed));
  server_.Set("vllm.svc.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  Start("http://vllm");
  server_.Set("vllm.svc.test", kDnsTypeA, Failing(kNoSuchName));
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("could answer for 'vllm.failing.test'"));
  clock_.Advance(std::chrono::hours(24));
  ASSERT_TRUE(server_.WaitForQuestions(12));
  EXPECT_THAT(told_.sets(), SizeIs(1));
}

TEST_F(DnsSourceTest, AFaultOfTheNameThatWasFoundLetsInNoOther) {
  search_ = {"svc.test", "wild.test"};
  server_.Set("vllm.svc.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  server_.Set("vllm.wild.test", kDnsTypeA, Addresses({"10.6.6.6"}));
  Start("http://vllm");
  server_.Set("vllm.svc.test", kDnsTypeA, Failing(kServerFailed));
  ASSERT_TRUE(told_.WaitForFaults(1));
  ASSERT_TRUE(server_.WaitForQuestions(12));
  EXPECT_THAT(told_.sets(), SizeIs(1));
  server_.Set("vllm.svc.test", kDnsTypeA, Addresses({"10.0.0.2"}));
  EXPECT_TRUE(told_.WaitForSet({"http://vllm 10.0.0.2"}));
}

TEST_F(DnsSourceTest, AnAddressIsItsOwnReplica) {
  Start("http://127.0.0.1:8000");
  EXPECT_TRUE(told_.WaitForSet({"http://127.0.0.1:8000"}));
}

TEST_F(DnsSourceTest, ServicesAreTheirTargetsOfTheLowestPriority) {
  SetSrv({SrvTestRecord(10, 3, 8001, "pod-1.vllm.test"),
          SrvTestRecord(10, 1, 8000, "pod-0.vllm.test"),
          SrvTestRecord(20, 9, 8002, "pod-2.vllm.test")});
  Start("https://_http._tcp.vllm.test/large", DiscoveryKind::kSrv);
  ASSERT_TRUE(told_.WaitForSet(
      {"https://pod-0.vllm.test:8000/large", "https://pod-1.vllm.test:8001/large"}));
  const auto set = told_.sets().back();
  EXPECT_EQ(set[0].weight, 2 * 1);
  EXPECT_EQ(set[1].weight, 2 * 3);
  EXPECT_EQ(set[0].zone, "a");
}

TEST_F(DnsSourceTest, ServicesWithoutWeightsAreEqual) {
  SetSrv({SrvTestRecord(0, 0, 80, "a.test"), SrvTestRecord(0, 0, 80, "b.test")});
  Start(DiscoveryKind::kSrv);
  ASSERT_TRUE(told_.WaitForSets(1));
  EXPECT_EQ(told_.sets()[0][0].weight, 2);
  SetSrv({SrvTestRecord(0, 1, 80, "a.test"), SrvTestRecord(0, 0, 80, "b.test")});
  ASSERT_TRUE(told_.WaitForSets(2));
  EXPECT_EQ(told_.sets()[1][0].weight, 2);
  EXPECT_GT(told_.sets()[1][1].weight, 0);
  EXPECT_LT(told_.sets()[1][1].weight, 1);
}

TEST_F(DnsSourceTest, AServiceThatSaysThatItIsNotServedIsBelieved) {
  SetSrv({SrvTestRecord(0, 0, 80, "a.test")});
  Start(DiscoveryKind::kSrv);
  SetSrv({SrvTestRecord(0, 0, 0, "")});
  EXPECT_TRUE(told_.WaitForSet({}));
}

TEST_F(DnsSourceTest, SettingsThatWillNotDoAreErrors) {
  const auto fault = [&](DiscoveryKind kind, const std::string& name, const std::string& server) {
    DiscoverySettings settings;
    settings.kind = kind;
    settings.name = name;
    settings.dns_server = server;
    return StartDiscovery(settings, clock_, told_.OnReplicas(), told_.OnFault()).status().message();
  };
  EXPECT_THAT(fault(DiscoveryKind::kDns, "vllm.test:8000", ""), HasSubstr("'vllm.test:8000'"));
  EXPECT_THAT(fault(DiscoveryKind::kSrv, "http://_http._tcp.x:80", ""),
              HasSubstr("leave out ':80'"));
  EXPECT_THAT(fault(DiscoveryKind::kSrv, "http://10.0.0.1", ""), HasSubstr("no name with SRV"));
  EXPECT_THAT(fault(DiscoveryKind::kDns, "http://x", "10.0.0.1"), HasSubstr("10.0.0.1:53"));
}

// Four seconds of silence; a start that waited for an answer would never end.
TEST_F(DnsSourceTest, SilentServersDoNotHoldUpTheStart) {
  const auto silence = [](std::span<const uint8_t>, bool) { return std::vector<uint8_t>(); };
  server_.Set("vllm.test", kDnsTypeA, silence);
  server_.Set("vllm.test", kDnsTypeAaaa, silence);
  Start("http://vllm.test");
  EXPECT_THAT(told_.sets(), IsEmpty());
  EXPECT_TRUE(told_.WaitForFaults(1));
  server_.Set("vllm.test", kDnsTypeA, Addresses({"10.0.0.1"}));
  EXPECT_TRUE(told_.WaitForSet({"http://vllm.test 10.0.0.1"}));
}

}  // namespace
}  // namespace aio
