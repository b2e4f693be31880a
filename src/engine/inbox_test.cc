#include "engine/inbox.h"

#include <gtest/gtest.h>

#include <thread>
#include <variant>
#include <vector>

namespace aio {
namespace {

TEST(InboxTest, KeepsTheOrder) {
  Inbox inbox;
  EXPECT_TRUE(inbox.Post(CancelCommand{0, 1}));
  EXPECT_TRUE(inbox.Post(CancelCommand{1, 2}));
  std::vector<Command> commands;
  EXPECT_TRUE(inbox.Collect(/*wait=*/true, commands));
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(std::get<CancelCommand>(commands[0]).sequence, 1u);
  EXPECT_EQ(std::get<CancelCommand>(commands[1]).sequence, 2u);
  commands.clear();
  EXPECT_TRUE(inbox.Collect(/*wait=*/false, commands));
  EXPECT_TRUE(commands.empty());
}

TEST(InboxTest, WhatWasPostedBeforeClosingIsStillCollected) {
  Inbox inbox;
  EXPECT_TRUE(inbox.Post(CancelCommand{0, 1}));
  inbox.Close();
  EXPECT_FALSE(inbox.Post(CancelCommand{0, 2}));
  std::vector<Command> commands;
  EXPECT_FALSE(inbox.Collect(/*wait=*/true, commands));
  EXPECT_EQ(commands.size(), 1u);
}

TEST(InboxTest, APostWakesTheOneWhoWaits) {
  Inbox inbox;
  std::thread poster([&] { EXPECT_TRUE(inbox.Post(CancelCommand{0, 1})); });
  std::vector<Command> commands;
  EXPECT_TRUE(inbox.Collect(/*wait=*/true, commands));
  EXPECT_EQ(commands.size(), 1u);
  poster.join();
  std::thread closer([&] { inbox.Close(); });
  EXPECT_FALSE(inbox.Collect(/*wait=*/true, commands));
  closer.join();
}

}  // namespace
}  // namespace aio
