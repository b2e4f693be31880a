#include "admission/admission_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using Delivery = FakeBackend::Delivery;
using std::chrono::seconds;

class AdmissionTest : public testing::Test {
 protected:
  void Start(AdmissionLimits limits, Delivery delivery = Delivery::kManual) {
    backend_ = std::make_unique<FakeBackend>(std::vector<FakeModel>{FakeModel::Named("m", "small")},
                                             delivery);
    admission_ = std::make_unique<AdmissionBackend>(*backend_, limits, clock_);
  }
  ~AdmissionTest() override { admission_.reset(); }

  struct Asked {
    std::shared_ptr<RecordingSink> sink = std::make_shared<RecordingSink>();
    Result<std::shared_ptr<Ticket>> ticket = Internal("not asked");
    RecordingSink::Record record() const { return sink->record(); }
  };

  Asked Ask(const std::string& client, int priority = 0, TimePoint deadline = kNoDeadline) {
    Request request;
    request.model = "m";
    request.prompt = "a prompt";
    request.client = client;
    request.priority = priority;
    request.deadline = deadline;
    Asked asked;
    asked.ticket = admission_->Generate(std::move(request), asked.sink);
    return asked;
  }

  // Until the backend has been asked `count` times, and has events of `pending` to deliver.
  void WaitForCalls(size_t count, int pending = 1) {
    while (backend_->generations().size() < count || backend_->pending() < pending) {
      std::this_thread::yield();
    }
  }

  // One may begin as soon as another ends.
  void ServeAll() {
    while (admission_->counts().running + admission_->counts().waiting > 0) {
      if (!backend_->DeliverOne()) std::this_thread::yield();
    }
  }

  std::vector<std::string> Clients() const {
    std::vector<std::string> clients;
    for (const FakeCall& call : backend_->generations()) clients.push_back(call.request.client);
    return clients;
  }

  ManualClock clock_;
  std::unique_ptr<FakeBackend> backend_;
  std::unique_ptr<AdmissionBackend> admission_;
};

TEST_F(AdmissionTest, WhatNeedNotWaitGoesStraightThrough) {
  Start({.running_max = 2}, Delivery::kImmediate);
  const Asked asked = Ask("a");
  EXPECT_TRUE(asked.ticket.ok());
  EXPECT_EQ(asked.record().text(), "Hello world");
  EXPECT_EQ(asked.record().finishes.size(), 1u);
  EXPECT_EQ(admission_->counts().running, 0);
  EXPECT_EQ(admission_->counts().queued, 0);
}

TEST_F(AdmissionTest, OthersWaitInFairOrder) {
  Start({.running_max = 1});
  std::vector<Asked> asked;
  for (const char* client : {"a", "a", "a", "b", "c"}) asked.push_back(Ask(client));
  asked.push_back(Ask("d", /*priority=*/-1));
  EXPECT_EQ(admission_->counts().waiting, 5);
  EXPECT_EQ(backend_->generations().size(), 1u);
  ServeAll();
  for (const Asked& each : asked) {
    each.sink->Wait();
    EXPECT_EQ(each.record().text(), "Hello world");
    EXPECT_TRUE(each.record().in_order);
  }
  EXPECT_THAT(Clients(), ElementsAre("a", "d", "b", "c", "a", "a"));
  EXPECT_EQ(admission_->counts().queued, 5);
}

TEST_F(AdmissionTest, TheTimeInTheQueueIsTold) {
  Start({.running_max = 1});
  const Asked first = Ask("a");
  const Asked second = Ask("a");
  clock_.Advance(seconds(3));
  ServeAll();
  second.sink->Wait();
  EXPECT_DOUBLE_EQ(first.record().finishes[0].timings.queue_ms, 0);
  EXPECT_DOUBLE_EQ(second.record().finishes[0].timings.queue_ms, 3000);
}

TEST_F(AdmissionTest, AFullQueueRefuses) {
  Start({.running_max = 1, .waiting_max = 3, .waiting_per_client_max = 2});
  std::vector<Asked> asked;
  for (int i = 0; i < 3; ++i) asked.push_back(Ask("a"));
  const Asked own = Ask("a");
  EXPECT_EQ(own.ticket.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(own.ticket.status().reason(), "queue_full");
  EXPECT_TRUE(Ask("b").ticket.ok()) << "another's place is not taken by a's flood";
  EXPECT_EQ(Ask("c").ticket.status().code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(own.record().done());
  EXPECT_EQ(admission_->counts().refused, 2);
}

TEST_F(AdmissionTest, ADeadlineThatPassesInTheQueueNeverReachesTheBackend) {
  Start({.running_max = 1});
  const Asked running = Ask("a");
  const Asked late = Ask("a", 0, clock_.Now() + seconds(1));
  const Asked early = Ask("a", 0, clock_.Now() + seconds(60));
  clock_.Advance(seconds(2));
  const Asked another = Ask("b");  // something that makes the queue look
  late.sink->Wait();
  ASSERT_EQ(late.record().errors.size(), 1u);
  EXPECT_EQ(late.record().errors[0].code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(backend_->generations().size(), 1u);
  EXPECT_EQ(Ask("a", 0, clock_.Now()).ticket.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(admission_->counts().expired, 2);
  EXPECT_FALSE(early.record().done());
}

TEST_F(AdmissionTest, CancelledOnesLeaveAtOnce) {
  Start({.running_max = 1});
  const Asked running = Ask("a");
  const Asked waiting = Ask("a");
  (*waiting.ticket)->Cancel();
  EXPECT_EQ(admission_->counts().waiting, 0);
  waiting.sink->Wait();
  ASSERT_EQ(waiting.record().errors.size(), 1u);
  EXPECT_EQ(waiting.record().errors[0].code(), StatusCode::kCancelled);
  (*waiting.ticket)->Cancel();
  EXPECT_EQ(admission_->counts().cancelled, 1);
  backend_->DeliverAll();
  EXPECT_EQ(backend_->generations().size(), 1u);
}

TEST_F(AdmissionTest, CancellingAfterTheTurnCancelsTheGeneration) {
  Start({.running_max = 1});
  const Asked first = Ask("a");
  const Asked second = Ask("a");
  while (!first.record().done()) backend_->DeliverOne();
  WaitForCalls(2);
  backend_->DeliverOne();
  (*second.ticket)->Cancel();
  while (backend_->cancel_calls() == 0) {  // by the thread that starts it, if it has just begun
    std::this_thread::yield();
  }
  backend_->DeliverAll();
  second.sink->Wait();
  EXPECT_EQ(second.record().finishes.at(0).reason, FinishReason::kCancelled);
}

TEST_F(AdmissionTest, WhoIsPausedInTheQueueIsPausedWhenItBegins) {
  Start({.running_max = 1});
  const Asked first = Ask("a");
  const Asked second = Ask("a");
  (*second.ticket)->SetPaused(true);
  EXPECT_FALSE(backend_->is_paused());
  while (!first.record().done()) backend_->DeliverOne();
  WaitForCalls(2);
  while (!backend_->is_paused()) std::this_thread::yield();
  (*second.ticket)->SetPaused(false);
  EXPECT_FALSE(backend_->is_paused());
  backend_->DeliverAll();
  second.sink->Wait();
}

TEST_F(AdmissionTest, FailuresFreeTheirPlace) {
  Start({.running_max = 1});
  backend_->Update("m", [](FakeModel& model) { model.generate_refusal = Internal("no"); });
  EXPECT_EQ(Ask("a").ticket.status().code(), StatusCode::kInternal);
  EXPECT_EQ(admission_->counts().running, 0);

  backend_->Update("m", [](FakeModel& model) { model.generate_refusal = Status::Ok(); });
  const Asked running = Ask("a");
  const Asked waiting = Ask("a");
  backend_->Update("m", [](FakeModel& model) { model.generate_refusal = Internal("no"); });
  backend_->DeliverAll();
  waiting.sink->Wait();
  EXPECT_EQ(waiting.record().errors.at(0).code(), StatusCode::kInternal);
  EXPECT_EQ(admission_->counts().running, 0);
}

TEST_F(AdmissionTest, NewLimitsCountFromNowOn) {
  Start({.running_max = 1});
  const Asked first = Ask("a");
  const Asked second = Ask("a");
  admission_->SetLimits({.running_max = 2});
  WaitForCalls(2, /*pending=*/2);
  backend_->DeliverAll();
  second.sink->Wait();
  EXPECT_EQ(second.record().text(), "Hello world");
}

TEST_F(AdmissionTest, WhoWaitsAtTheEndIsTold) {
  Start({.running_max = 1});
  const Asked running = Ask("a");
  const Asked waiting = Ask("a");
  admission_.reset();
  EXPECT_EQ(waiting.record().errors.at(0).code(), StatusCode::kUnavailable);
  (*waiting.ticket)->Cancel();
  backend_->DeliverAll();
  EXPECT_EQ(running.record().text(), "Hello world") << "what was started goes on";
}

TEST_F(AdmissionTest, EverythingElseIsTheBackends) {
  Start({});
  EXPECT_EQ(admission_->Models().size(), 1u);
  EXPECT_EQ(admission_->Load().size(), 1u);
  Request request;
  request.model = "m";
  request.prompt = "one two three";
  EXPECT_EQ(*admission_->CountPromptTokens(request), 3);
}

// Many threads ask and cancel; every sink is told exactly once, and no place is lost.
TEST_F(AdmissionTest, UnderStress) {
  Start({.running_max = 3, .waiting_max = 50}, Delivery::kThread);
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  std::vector<std::vector<Asked>> asked(4);
  for (size_t t = 0; t < asked.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        Asked one = Ask(std::string(1, static_cast<char>('a' + i % 3)), i % 2);
        if (!one.ticket.ok()) {
          ++refused;
          continue;
        }
        if (i % 5 == 0) (*one.ticket)->Cancel();
        asked[t].push_back(std::move(one));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : asked) {
    for (const Asked& one : each) {
      one.sink->Wait();
      EXPECT_TRUE(one.record().in_order);
    }
  }
  while (admission_->counts().running > 0) std::this_thread::yield();
  EXPECT_EQ(admission_->counts().waiting, 0);
  EXPECT_EQ(admission_->counts().refused, refused);
}

}  // namespace
}  // namespace aio
