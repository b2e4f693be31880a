#include "router/session_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace aio {
namespace {

Request Turn(std::vector<ChatMessage> messages, std::string session = "") {
  Request request;
  request.prompt = std::move(messages);
  request.session = std::move(session);
  return request;
}

SessionSignals On(std::string role) {
  return {.role = std::move(role), .weights = "", .turns = 0, .confidence = 0.9};
}

TEST(SessionKeys, AConversationIsKnownByWhatItSendsAgain) {
  const SessionKeys first = KeysOf(Turn({{"system", "s"}, {"user", "u1"}}));
  EXPECT_EQ(first.of_last_turn, "");
  const SessionKeys second =
      KeysOf(Turn({{"system", "s"}, {"user", "u1"}, {"assistant", "a1"}, {"user", "u2"}}));
  EXPECT_EQ(second.of_last_turn, first.of_this_turn);
  const SessionKeys third = KeysOf(Turn({{"system", "s"},
                                         {"user", "u1"},
                                         {"assistant", "a1"},
                                         {"user", "u2"},
                                         {"assistant", "a2"},
                                         {"user", "u3"}}));
  EXPECT_EQ(third.of_last_turn, second.of_this_turn);
  EXPECT_NE(KeysOf(Turn({{"system", "s"}, {"user", "other"}})).of_this_turn, first.of_this_turn);
  EXPECT_NE(KeysOf(Turn({{"system", "su"}, {"user", "1"}})).of_this_turn, first.of_this_turn);
}

TEST(SessionKeys, WhatNobodyCanComeBackToHasNone) {
  EXPECT_EQ(KeysOf(Turn({})).of_this_turn, "");
  EXPECT_EQ(KeysOf(Turn({{"assistant", "a"}})).of_last_turn, "");
  Request text;
  text.prompt = std::string("once upon a time");
  EXPECT_EQ(KeysOf(text).of_this_turn, "");
}

TEST(SessionKeys, TheClientsOwnNameGoesFirst) {
  const SessionKeys one = KeysOf(Turn({{"user", "a"}}, "s1"));
  const SessionKeys two = KeysOf(Turn({{"user", "b"}}, "s1"));
  EXPECT_EQ(one.of_this_turn, two.of_last_turn);
  EXPECT_NE(one.of_this_turn, KeysOf(Turn({{"user", "a"}}, "s2")).of_this_turn);
}

TEST(SessionTable, CountsTheTurnsOnOneModel) {
  SessionTable table(10);
  const SessionKeys keys = KeysOf(Turn({{"user", "a"}}, "s1"));
  EXPECT_EQ(table.Find(keys), SessionSignals());
  table.Remember(keys, table.Find(keys), On("small"));
  EXPECT_EQ(table.Find(keys).role, "small");
  EXPECT_EQ(table.Find(keys).turns, 1);
  table.Remember(keys, table.Find(keys), On("small"));
  EXPECT_EQ(table.Find(keys).turns, 2);
  table.Remember(keys, table.Find(keys), On("large"));
  EXPECT_EQ(table.Find(keys).turns, 1);
  EXPECT_EQ(table.Find(keys).role, "large");
}

TEST(SessionTable, ForgetsTheLeastRecentlyUsed) {
  SessionTable table(2);
  const auto keys = [](const std::string& name) { return KeysOf(Turn({}, name)); };
  table.Remember(keys("a"), {}, On("small"));
  table.Remember(keys("b"), {}, On("small"));
  EXPECT_EQ(table.Find(keys("a")).role, "small");  // used
  table.Remember(keys("c"), {}, On("small"));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.Find(keys("b")).role, "");
  EXPECT_EQ(table.Find(keys("a")).role, "small");
  EXPECT_EQ(table.Find(keys("c")).role, "small");

  SessionTable none(0);
  none.Remember(keys("a"), {}, On("small"));
  EXPECT_EQ(none.size(), 0u);
}

TEST(SessionTable, ManyThreads) {
  SessionTable table(16);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&table, t] {
      for (int i = 0; i < 500; ++i) {
        const SessionKeys keys = KeysOf(Turn({}, std::to_string((i * 7 + t) % 32)));
        table.Remember(keys, table.Find(keys), On("small"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table.size(), 16u);
}

}  // namespace
}  // namespace aio
