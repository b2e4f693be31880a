// Want of memory at every single allocation: a refusal, and everything goes on as before.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "admission/admission_backend.h"
#include "backend/testing/fake_backend.h"
#include "base/testing/allocation_counter.h"

namespace aio {
namespace {

using Delivery = FakeBackend::Delivery;

class AdmissionFaultTest : public testing::Test {
 protected:
  void Start(AdmissionLimits limits) {
    backend_ = std::make_unique<FakeBackend>(std::vector<FakeModel>{FakeModel::Named("m", "small")},
                                             Delivery::kManual);
    admission_ = std::make_unique<AdmissionBackend>(*backend_, limits, clock_);
  }
  ~AdmissionFaultTest() override { admission_.reset(); }

  Request MakeRequest() const {
    Request request;
    request.model = "m";
    request.prompt.emplace<std::string>("a prompt");
    request.client = client_;
    request.deadline = clock_.Now() + std::chrono::hours(1);
    return request;
  }
  Result<std::shared_ptr<Ticket>> Ask(const std::shared_ptr<RecordingSink>& sink) {
    return admission_->Generate(MakeRequest(), sink);
  }

  // Everything that was admitted comes to its end.
  void ServeAll() {
    while (admission_->counts().running > 0 || admission_->counts().waiting > 0) {
      if (!backend_->DeliverOne()) std::this_thread::yield();
    }
  }

  // Asks with the first allocation failing, the second, and so on until none does; who was refused
  // was never told anything else. Returns how many were admitted.
  int AskWithEveryFailure() {
    int admitted = 0;
    bool failed = true;
    for (int nth = 1; failed; ++nth) {
      const auto sink = std::make_shared<RecordingSink>();
      Result<std::shared_ptr<Ticket>> ticket = Internal("not asked");
      Request request = MakeRequest();
      {
        const FailingAllocation allocation(nth);
        ticket = admission_->Generate(std::move(request), sink);
        failed = allocation.has_failed();
      }
      if (!ticket.ok()) {
        EXPECT_EQ(ticket.status().code(), StatusCode::kUnavailable) << ticket.status().ToString();
        EXPECT_FALSE(sink->record().done());
      }
      admitted += ticket.ok() ? 1 : 0;
      EXPECT_TRUE(failed || ticket.ok());
    }
    return admitted;
  }

  const std::string client_ = std::string(100, 'c');  // takes memory to copy
  ManualClock clock_;
  std::unique_ptr<FakeBackend> backend_;
  std::unique_ptr<AdmissionBackend> admission_;
};

TEST_F(AdmissionFaultTest, OfThoseThatNeedNotWait) {
  Start({.running_max = 1000});
  const int admitted = AskWithEveryFailure();
  EXPECT_GE(admitted, 1);
  EXPECT_EQ(admission_->counts().waiting, 0);
  EXPECT_EQ(admission_->counts().running, admitted) << "the others' places are free again";
  ServeAll();
  EXPECT_EQ(admission_->counts().running, 0);
}

TEST_F(AdmissionFaultTest, OfThoseThatWait) {
  Start({.running_max = 1});
  const auto first = std::make_shared<RecordingSink>();
  ASSERT_TRUE(Ask(first).ok());
  const int admitted = AskWithEveryFailure();
  EXPECT_GE(admitted, 1);
  EXPECT_EQ(admission_->counts().waiting, admitted) << "the others have left nothing behind";
  EXPECT_EQ(admission_->counts().running, 1);
  ServeAll();
  EXPECT_TRUE(first->record().done());
  EXPECT_EQ(backend_->generations().size(), static_cast<size_t>(admitted) + 1);
}

TEST_F(AdmissionFaultTest, OfThoseThatAreCancelledWhileTheyWait) {
  Start({.running_max = 1});
  ASSERT_TRUE(Ask(std::make_shared<RecordingSink>()).ok());
  bool failed = true;
  for (int nth = 1; failed; ++nth) {
    const auto sink = std::make_shared<RecordingSink>();
    const Result<std::shared_ptr<Ticket>> ticket = Ask(sink);
    ASSERT_TRUE(ticket.ok());
    {
      const FailingAllocation allocation(nth);
      (*ticket)->Cancel();
      failed = allocation.has_failed();
    }
    (*ticket)->Cancel();  // again, as nobody would; the first was enough
    if (!failed) sink->Wait();
  }
  ServeAll();
  EXPECT_EQ(admission_->counts().waiting, 0);
}

}  // namespace
}  // namespace aio
