// What happens when the model that was chosen is gone.
#include <gmock/gmock.h>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using testing::HasSubstr;

class RouterFallbackTest : public testing::Test, public RouterFixture {
 protected:
  RouterFallbackTest() : RouterFixture(FakeBackend::Delivery::kManual) {}

  RecordingSink::Record RunOne(Request request) { return RouterFixture::Run(std::move(request)); }
  void BreakBeforeStart(FakeBackend& backend, const std::string& model, Status fault) {
    backend.Update(model, [fault](FakeModel& m) {
      m.answer = [fault](const Request&) {
        FakeAnswer answer;
        answer.error = fault;
        answer.error_before_start = true;
        return answer;
      };
    });
  }
  void MakeRouter(RouterOptions options) {
    auto created = Router::Create(std::move(options), clock);
    ASSERT_TRUE(created.ok());
    router = std::move(created).value();
  }
};

TEST_F(RouterFallbackTest, TheLargeModelAnswersForASmallOneThatIsGone) {
  BreakBeforeStart(small, kSmall, Unavailable("no replica"));
  const auto record = RunOne(Ask("code please"));
  ASSERT_TRUE(record.errors.empty());
  ASSERT_EQ(record.starts.size(), 1u);
  const Decision& decision = *record.starts[0].decision;
  EXPECT_EQ(decision.role, "large");
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_THAT(decision.reason, HasSubstr("'pocket-small' is gone"));
}

TEST_F(RouterFallbackTest, AlsoWhenItRefusesAtOnce) {
  small.Update(kSmall, [](FakeModel& m) { m.generate_refusal = Unavailable("shut down"); });
  const auto record = RunOne(Ask("code please"));
  ASSERT_EQ(record.starts.size(), 1u);
  EXPECT_EQ(record.starts[0].decision->role, "large");
}

TEST_F(RouterFallbackTest, OtherFaultsAreTheClients) {
  BreakBeforeStart(small, kSmall, ResourceExhausted("queue full"));
  const auto record = RunOne(Ask("code please"));
  EXPECT_TRUE(record.starts.empty());
  ASSERT_EQ(record.errors.size(), 1u);
  EXPECT_EQ(record.errors[0].code(), StatusCode::kResourceExhausted);
}

TEST_F(RouterFallbackTest, TheSmallModelStandsInOnlyWhereThatIsWanted) {
  BreakBeforeStart(large, kLarge, Unavailable("no replica"));
  EXPECT_EQ(RunOne(Ask("qa please")).errors.size(), 1u);
  RouterOptions options = Options();
  options.small_stands_in = true;
  MakeRouter(std::move(options));
  const auto record = RunOne(Ask("qa please"));
  ASSERT_EQ(record.starts.size(), 1u);
  EXPECT_EQ(record.starts[0].decision->role, "small");
}

TEST_F(RouterFallbackTest, APromptThatTheOtherCannotHoldIsNotSentThere) {
  RouterOptions options = Options();
  options.small_stands_in = true;
  MakeRouter(std::move(options));
  BreakBeforeStart(large, kLarge, Unavailable("no replica"));
  const auto record = RunOne(Ask(Words("qa", 5000)));
  ASSERT_EQ(record.errors.size(), 1u);
  EXPECT_TRUE(small.generations().empty());
}

TEST_F(RouterFallbackTest, WhoeverNamesAModelGetsThatOrNone) {
  BreakBeforeStart(small, kSmall, Unavailable("no replica"));
  EXPECT_EQ(RunOne(Ask("code please", kSmall)).errors.size(), 1u);
  EXPECT_TRUE(large.generations().empty());
}

TEST_F(RouterFallbackTest, AnAnswerThatHasBegunStaysBroken) {
  small.Update(kSmall, [](FakeModel& m) {
    m.answer = [](const Request&) {
      FakeAnswer answer;
      answer.error = Unavailable("gone");
      return answer;
    };
  });
  const auto record = RunOne(Ask("code please"));
  EXPECT_EQ(record.starts.size(), 1u);
  EXPECT_EQ(record.errors.size(), 1u);
  EXPECT_TRUE(large.generations().empty());
}

TEST_F(RouterFallbackTest, BothGoneIsSaidOnce) {
  BreakBeforeStart(small, kSmall, Unavailable("no replica"));
  BreakBeforeStart(large, kLarge, Unavailable("no replica either"));
  const auto record = RunOne(Ask("code please"));
  ASSERT_EQ(record.errors.size(), 1u);
  EXPECT_THAT(record.errors[0].message(), HasSubstr("either"));
}

TEST_F(RouterFallbackTest, AStandInDecodesAsItCan) {
  RouterOptions options = Options();
  options.small_stands_in = true;
  options.large.draft_model = "drafter";
  MakeRouter(std::move(options));
  BreakBeforeStart(large, kLarge, Unavailable("no replica"));
  Request request = Ask("qa please");
  request.strategy = Strategy{.kind = StrategyKind::kDraftModel};
  const auto record = RunOne(request);
  ASSERT_EQ(record.starts.size(), 1u);
  EXPECT_EQ(record.starts[0].decision->role, "small");
  EXPECT_EQ(small.generations().back().request.strategy, Strategy{}) << "no model drafts for it";
}

}  // namespace
}  // namespace aio
