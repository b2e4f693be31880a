#include "stress/hostile_requests.h"

#include <gtest/gtest.h>

#include <set>

namespace aio {
namespace {

TEST(HostileRequestsTest, AreTheSameForEver) {
  for (uint64_t number = 0; number < 100; ++number) {
    const HostileRequest once = MakeHostileRequest(7, number);
    const HostileRequest again = MakeHostileRequest(7, number);
    EXPECT_EQ(once.bytes, again.bytes);
    EXPECT_EQ(once.end, again.end);
    EXPECT_EQ(once.first_bytes, again.first_bytes);
    EXPECT_EQ(once.piece_bytes, again.piece_bytes);
  }
}

TEST(HostileRequestsTest, AreManyAndOfBoundedSize) {
  constexpr uint64_t kCount = 5000;
  std::set<std::string> different;
  std::set<HostileEnd> ends;
  uint64_t dribbled = 0;
  for (uint64_t number = 0; number < kCount; ++number) {
    HostileRequest request = MakeHostileRequest(1, number);
    EXPECT_LE(request.bytes.size(), 100u << 10);
    EXPECT_LE(request.first_bytes, request.bytes.size());
    ends.insert(request.end);
    dribbled += request.piece_bytes > 0 ? 1 : 0;
    different.insert(std::move(request.bytes));
  }
  EXPECT_GT(different.size(), kCount * 3 / 4);
  EXPECT_GT(dribbled, kCount / 100);
  EXPECT_EQ(ends.size(), 4u);
}

}  // namespace
}  // namespace aio
