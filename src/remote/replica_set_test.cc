// Which replica gets the next request, over scripted servers.
#include "remote/replica_set.h"

#include <algorithm>
#include <map>

#include "remote/remote_test_fixture.h"

namespace aio {
namespace {

class ReplicaSetTest : public testing::Test {
 protected:
  static constexpr Duration kSecond = std::chrono::seconds(1);

  void Make(std::vector<ReplicaSpec> specs, ReplicaSetOptions options = {}) {
    set_ = std::make_unique<ReplicaSet>(
        options, [this] { return clock_.Now(); },
        [this](const std::string& key, ReplicaState state, std::string_view why) {
          told_.push_back(key + " " + std::string(ReplicaStateName(state)));
          why_ = why;
        });
    set_->Update(specs);
  }
  static ReplicaSpec Spec(std::string url) {
    ReplicaSpec spec;
    spec.url = std::move(url);
    return spec;
  }
  static std::vector<ReplicaSpec> Named(int count) {
    std::vector<ReplicaSpec> specs;
    for (int i = 0; i < count; ++i) specs.push_back(Spec("http://r" + std::to_string(i)));
    return specs;
  }
  ReplicaReading Reading(const std::string& key) {
    for (const ReplicaReading& reading : set_->Readings()) {
      if (reading.key == key) return reading;
    }
    ADD_FAILURE() << key;
    return {};
  }
  std::unique_ptr<ReplicaLease> ChooseAt(const std::string& url) {
    for (int i = 0; i < 1000; ++i) {
      auto lease = set_->Choose({});
      if (lease != nullptr && lease->spec().url == url) return lease;
    }
    return nullptr;
  }
  std::map<std::string, int> Count(int choices, const ReplicaQuery& query = {}) {
    std::map<std::string, int> counts;
    for (int i = 0; i < choices; ++i) ++counts[set_->Choose(query)->spec().url];
    return counts;
  }
  void FailAt(const std::string& url, int times) {
    for (int i = 0; i < times; ++i) {
      auto lease = ChooseAt(url);
      ASSERT_NE(lease, nullptr);
      lease->Failed("it failed");
    }
  }

  ManualClock clock_;
  std::vector<std::string> told_;
  std::string why_;
  std::unique_ptr<ReplicaSet> set_;
};

TEST_F(ReplicaSetTest, EqualReplicasHaveEqualLoads) {
  Make(Named(4));
  std::mt19937_64 random(7);
  std::vector<std::unique_ptr<ReplicaLease>> leases;
  double worst = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (leases.size() >= 400) {  // about 100 each: any of them ends
      std::swap(leases[random() % leases.size()], leases.back());
      leases.pop_back();
    }
    ReplicaQuery query;
    query.tokens = 50 + static_cast<int64_t>(random() % 500);
    leases.push_back(set_->Choose(query));
    if (i < 2000) continue;
    const auto readings = set_->Readings();
    double total = 0;
    double most = 0;
    for (const ReplicaReading& reading : readings) {
      total += static_cast<double>(reading.outstanding_tokens);
      most = std::max(most, static_cast<double>(reading.outstanding_tokens));
    }
    worst = std::max(worst, most / (total / 4) - 1);
  }
  EXPECT_LT(worst, 0.10);
}

TEST_F(ReplicaSetTest, WeightsAreShares) {
  std::vector<ReplicaSpec> specs = Named(2);
  specs[0].weight = 3;
  Make(specs);
  std::vector<std::unique_ptr<ReplicaLease>> leases;
  for (int i = 0; i < 400; ++i) leases.push_back(set_->Choose({.tokens = 100}));
  EXPECT_NEAR(Reading("http://r0").running, 300, 2);
}

TEST_F(ReplicaSetTest, WhatFailsIsLeftAloneAndTriedAgain) {
  Make(Named(3));
  FailAt("http://r1", 3);
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kEjected);
  EXPECT_EQ(Count(300).count("http://r1"), 0u);
  clock_.Advance(3 * kSecond);
  // One request shows whether it is well again; until it has ended there is no other.
  auto trial = set_->Choose({});
  EXPECT_EQ(trial->spec().url, "http://r1");
  EXPECT_EQ(Count(300).count("http://r1"), 0u);
  trial->Failed("it failed");
  trial.reset();
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kEjected);
  clock_.Advance(3 * kSecond);
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kEjected) << "twice as long";
  clock_.Advance(2 * kSecond);
  trial = set_->Choose({});
  EXPECT_EQ(trial->spec().url, "http://r1");
  trial->Succeeded({}, {});
  trial.reset();
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kReady);
}

TEST_F(ReplicaSetTest, FailuresMustFollowEachOther) {
  Make(Named(2));
  for (int i = 0; i < 10; ++i) {
    FailAt("http://r1", 2);
    ChooseAt("http://r1")->Succeeded({}, {});
  }
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kReady);
}

TEST_F(ReplicaSetTest, TellsWhoIsAwayAndWhoIsBack) {
  Make(Named(2));
  FailAt("http://r0", 3);
  EXPECT_THAT(told_, testing::ElementsAre("http://r0 ejected"));
  EXPECT_EQ(why_, "it failed");
  clock_.Advance(3 * kSecond);
  ChooseAt("http://r0")->Succeeded({}, {});
  for (const bool well : {false, false, true}) set_->OnCheck("http://r1", well);
  EXPECT_THAT(told_, testing::ElementsAre("http://r0 ejected", "http://r0 ready", "http://r1 down",
                                          "http://r1 ready"));
}

TEST_F(ReplicaSetTest, WhatComesBackStartsSlowly) {
  Make(Named(2));
  set_->OnCheck("http://r1", false);
  set_->OnCheck("http://r1", false);
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kDown);
  set_->OnCheck("http://r1", true);
  EXPECT_EQ(Reading("http://r1").state, ReplicaState::kReady);
  std::vector<std::unique_ptr<ReplicaLease>> leases;
  for (int i = 0; i < 110; ++i) leases.push_back(set_->Choose({.tokens = 10}));
  EXPECT_NEAR(Reading("http://r1").running, 10, 2) << "a tenth of its share";
  leases.clear();
  clock_.Advance(11 * kSecond);
  for (int i = 0; i < 100; ++i) leases.push_back(set_->Choose({.tokens = 10}));
  EXPECT_NEAR(Reading("http://r1").running, 50, 2);
}

TEST_F(ReplicaSetTest, IfNoneIsWellOneIsAskedAllTheSame) {
  Make(Named(2));
  for (const char* url : {"http://r0", "http://r1"}) {
    set_->OnCheck(url, false);
    set_->OnCheck(url, false);
  }
  EXPECT_FALSE(set_->HasReady());
  EXPECT_NE(set_->Choose({}), nullptr);
}

TEST_F(ReplicaSetTest, AnOutlierInSlownessIsLeftAlone) {
  Make(Named(3));
  const auto answer = [&](const std::string& url, int ms) {
    if (auto lease = ChooseAt(url)) {
      lease->Succeeded(std::chrono::milliseconds(ms), std::chrono::milliseconds(ms) / 10);
    }
  };
  for (int i = 0; i < 12; ++i) {
    for (const char* url : {"http://r0", "http://r1"}) answer(url, 100 + i);
    if (Reading("http://r2").state == ReplicaState::kReady) answer("http://r2", 1000);
  }
  EXPECT_EQ(Reading("http://r2").state, ReplicaState::kEjected);
  EXPECT_EQ(Reading("http://r0").state, ReplicaState::kReady);
}

TEST_F(ReplicaSetTest, WhatWasBegunBeforeAnEjectionSaysNothingOfTheTimeAfter) {
  Make(Named(3));
  std::vector<std::unique_ptr<ReplicaLease>> old;
  for (std::vector<std::unique_ptr<ReplicaLease>> others; old.size() < 20;) {
    auto lease = set_->Choose({});
    (lease->spec().url == "http://r2" ? old : others).push_back(std::move(lease));
  }
  const auto slow = [](ReplicaLease& lease) {
    lease.Succeeded(std::chrono::milliseconds(1000), std::chrono::milliseconds(100));
  };
  for (int i = 0; i < 10; ++i) {
    for (const char* url : {"http://r0", "http://r1"}) {
      ChooseAt(url)->Succeeded(std::chrono::milliseconds(100), std::chrono::milliseconds(10));
    }
  }
  while (Reading("http://r2").state == ReplicaState::kReady) {
    ASSERT_FALSE(old.empty());
    slow(*old.back());
    old.pop_back();
  }
  ASSERT_EQ(old.size(), 10u);
  for (int i = 0; i < 5; ++i) slow(*old[i]);
  clock_.Advance(3 * kSecond);
  EXPECT_EQ(Reading("http://r2").state, ReplicaState::kOnTrial);
  for (int i = 0; i < 3; ++i) slow(*old[5 + i]);
  EXPECT_EQ(Reading("http://r2").state, ReplicaState::kOnTrial) << "not its trial";
  for (int i = 0; i < 2; ++i) old[8 + i]->Failed("it failed");
  EXPECT_EQ(Reading("http://r2").state, ReplicaState::kOnTrial) << "likewise";
  EXPECT_EQ(Reading("http://r2").ejections, 1);
  set_->Choose({})->Succeeded(std::chrono::milliseconds(100), std::chrono::milliseconds(10));
  EXPECT_EQ(Reading("http://r2").state, ReplicaState::kReady);
}

TEST_F(ReplicaSetTest, DifferencesOfAFewMillisecondsAreNone) {
  Make(Named(3));
  for (int i = 0; i < 20; ++i) {
    for (const char* url : {"http://r0", "http://r1", "http://r2"}) {
      ChooseAt(url)->Succeeded(std::chrono::milliseconds(url[8] == '2' ? 10 : 1), {});
    }
  }
  EXPECT_EQ(Reading("http://r2").state, ReplicaState::kReady);
}

TEST_F(ReplicaSetTest, RequestsOfOneSessionGoToOneReplica) {
  Make(Named(5));
  std::map<uint64_t, std::string> homes;
  for (uint64_t session = 1; session <= 100; ++session) {
    homes[session] = set_->Choose({.affinity = session})->spec().url;
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(set_->Choose({.affinity = session})->spec().url, homes[session]);
    }
  }
  // One that goes takes only its own along.
  auto specs = Named(5);
  specs.erase(specs.begin());
  set_->Update(specs);
  for (const auto& [session, url] : homes) {
    if (url == "http://r0") continue;
    EXPECT_EQ(set_->Choose({.affinity = session})->spec().url, url);
  }
}

TEST_F(ReplicaSetTest, ABusySessionSpillsOver) {
  Make(Named(4));
  std::vector<std::unique_ptr<ReplicaLease>> leases;
  for (int i = 0; i < 200; ++i) leases.push_back(set_->Choose({.affinity = 42, .tokens = 10}));
  for (const ReplicaReading& reading : set_->Readings()) {
    EXPECT_LE(reading.running, 200 / 4 * 1.25 + 1) << reading.key;
  }
}

TEST_F(ReplicaSetTest, WhatDrainsFinishesAndGetsNothingNew) {
  Make(Named(2));
  auto lease = ChooseAt("http://r0");
  set_->Update({Spec("http://r1")});
  EXPECT_EQ(Count(50).count("http://r0"), 0u);
  EXPECT_EQ(Reading("http://r0").state, ReplicaState::kDraining);
  lease->Succeeded({}, {});
  lease.reset();
  EXPECT_EQ(set_->Readings().size(), 1u);
}

TEST_F(ReplicaSetTest, ReplicasOfTheWantedStrategyAlone) {
  std::vector<ReplicaSpec> specs = Named(4);
  specs[0].strategy = specs[1].strategy = "plain";
  specs[2].strategy = specs[3].strategy = "prompt_lookup";
  Make(specs);
  const auto counts = Count(100, {.strategy = "prompt_lookup"});
  EXPECT_EQ(counts.count("http://r0") + counts.count("http://r1"), 0u);
  EXPECT_EQ(Count(100, {.strategy = "draft_model"}).size(), 4u) << "none has it: any will do";
}

TEST_F(ReplicaSetTest, TheOwnZoneComesFirstUntilItHasTooMuchToDo) {
  std::vector<ReplicaSpec> specs = Named(2);
  specs[0].zone = "a";
  specs[1].zone = "b";
  ReplicaSetOptions options;
  options.zone = "a";
  Make(specs, options);
  std::vector<std::unique_ptr<ReplicaLease>> leases;
  for (int i = 0; i < 300; ++i) leases.push_back(set_->Choose({.tokens = 10}));
  EXPECT_NEAR(Reading("http://r0").running, 200, 3);
}

std::vector<ReplicaSpec> OneOfThreeIsNear(std::vector<ReplicaSpec> specs) {
  for (size_t i = 0; i < specs.size(); ++i) specs[i].zone = i == 0 ? "a" : "b";
  return specs;
}

TEST_F(ReplicaSetTest, SessionsLeaveTheirZoneWhenItHasTooMuchToDo) {
  ReplicaSetOptions options;
  options.zone = "a";
  Make(OneOfThreeIsNear(Named(3)), options);
  std::vector<std::unique_ptr<ReplicaLease>> leases;
  EXPECT_EQ(set_->Choose({.affinity = 7})->spec().url, "http://r0") << "idle";
  for (uint64_t i = 1; i <= 300; ++i) {
    leases.push_back(set_->Choose({.affinity = i, .tokens = 10}));
  }
  // Twice the others' share, and a quarter more.
  EXPECT_NEAR(Reading("http://r0").running, 300 * 1.25 / 2, 5);
}

TEST_F(ReplicaSetTest, AnIdleZoneIsNotLeft) {
  ReplicaSetOptions options;
  options.zone = "a";
  Make(OneOfThreeIsNear(Named(3)), options);
  EXPECT_EQ(Count(300).at("http://r0"), 300);
}

TEST_F(ReplicaSetTest, WhatIsListedAgainIsTheSameReplica) {
  Make(Named(2));
  auto lease = ChooseAt("http://r0");
  set_->Update({Spec("http://r1")});
  set_->Update(Named(2));
  EXPECT_EQ(set_->Readings().size(), 2u);
  EXPECT_EQ(Reading("http://r0").running, 1);
  EXPECT_EQ(Reading("http://r0").state, ReplicaState::kReady);
  lease.reset();
  EXPECT_EQ(set_->Readings().size(), 2u);
}

TEST_F(ReplicaSetTest, OneUrlMayBeSeveralReplicas) {
  std::vector<ReplicaSpec> specs = {Spec("http://model"), Spec("http://model")};
  specs[0].address = "10.0.0.1";
  specs[1].address = "10.0.0.2";
  Make(specs);
  EXPECT_EQ(set_->Readings().size(), 2u);
  auto first = set_->Choose({});
  auto second = set_->Choose({.tried_urls = {KeyOf(first->spec())}});
  EXPECT_NE(first->spec().address, second->spec().address);
}

}  // namespace
}  // namespace aio
