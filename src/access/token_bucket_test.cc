#include "access/token_bucket.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kStart{};

TEST(TokenBucketTest, BeginsFullAndRefillsEvenly) {
  TokenBucket bucket(60, minutes(1), kStart);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart), 60);
  bucket.Take(60, kStart);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart), 0);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart + seconds(10)), 10);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart + minutes(10)), 60);
}

TEST(TokenBucketTest, TellsHowLongToWait) {
  TokenBucket bucket(60, minutes(1), kStart);
  EXPECT_EQ(bucket.Until(60, kStart), Duration::zero());
  bucket.Take(50, kStart);
  EXPECT_EQ(bucket.Until(10, kStart), Duration::zero());
  EXPECT_EQ(bucket.Until(15, kStart), seconds(5));
  EXPECT_EQ(bucket.Until(1000, kStart), seconds(50)) << "more than fits is the whole";
  const Duration wait = bucket.Until(10.5, kStart);
  EXPECT_GE(bucket.Level(kStart + wait), 10.5);
}

TEST(TokenBucketTest, DebtsAreRepaidByTime) {
  TokenBucket bucket(60, minutes(1), kStart);
  bucket.Take(90, kStart);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart), -30);
  EXPECT_EQ(bucket.Until(1, kStart), seconds(31));
  bucket.Give(1000, kStart);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart), 60) << "never over the capacity";
}

TEST(TokenBucketTest, AClockThatStandsOrRunsBackRefillsNothing) {
  TokenBucket bucket(60, minutes(1), kStart + minutes(1));
  bucket.Take(60, kStart + minutes(1));
  EXPECT_DOUBLE_EQ(bucket.Level(kStart), 0);
  bucket.Take(1, kStart);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart + minutes(1)), -1);
}

TEST(TokenBucketTest, WhatWasUsedStaysUsed) {
  TokenBucket bucket(60, minutes(1), kStart);
  bucket.Take(20, kStart);
  bucket.Resize(120, kStart);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart), 100);
  EXPECT_DOUBLE_EQ(bucket.Level(kStart + seconds(10)), 120);
  bucket.Take(20, kStart);
  bucket.Resize(10, kStart);
  EXPECT_LT(bucket.Level(kStart), 0);
}

}  // namespace
}  // namespace aio
