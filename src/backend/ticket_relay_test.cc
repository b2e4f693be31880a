#include "backend/ticket_relay.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

struct RecordedTicket final : public Ticket {
  void Cancel() override { cancelled = true; }
  void SetPaused(bool wanted) override { paused = wanted; }

  bool cancelled = false;
  bool paused = false;
};

TEST(TicketRelayTest, WhatWasWishedBeforeIsTheNextOnesToo) {
  TicketRelay relay;
  const auto first = std::make_shared<RecordedTicket>();
  const auto other = std::make_shared<RecordedTicket>();
  relay.SetPaused(true);
  EXPECT_TRUE(relay.SetFirst(first));
  EXPECT_TRUE(first->paused);
  EXPECT_EQ(relay.TakeAway(), first);
  EXPECT_FALSE(relay.Cancel()) << "there is none";
  EXPECT_FALSE(first->cancelled);
  relay.Set(other);
  EXPECT_TRUE(other->cancelled);
  EXPECT_TRUE(relay.cancelled());
}

TEST(TicketRelayTest, APauseGoesOnWithTheNextUntilItIsTakenBack) {
  TicketRelay relay;
  const auto first = std::make_shared<RecordedTicket>();
  const auto other = std::make_shared<RecordedTicket>();
  relay.SetFirst(first);
  relay.SetPaused(true);
  relay.Set(other);
  EXPECT_TRUE(other->paused);
  relay.SetPaused(false);
  EXPECT_FALSE(other->paused);
  EXPECT_TRUE(first->paused) << "it is nobody's any more";
}

TEST(TicketRelayTest, TheFirstComesTooLateAfterAnother) {
  TicketRelay relay;
  const auto other = std::make_shared<RecordedTicket>();
  relay.Set(other);
  EXPECT_FALSE(relay.SetFirst(std::make_shared<RecordedTicket>()));
  EXPECT_TRUE(relay.Cancel());
  EXPECT_TRUE(other->cancelled);
}

}  // namespace
}  // namespace aio
