#include "remote/sse_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aio {
namespace {

using testing::ElementsAre;

// Fed in pieces of `size` bytes.
std::vector<std::string> Events(const std::string& text, size_t size) {
  SseReader reader;
  std::vector<std::string> events;
  for (size_t at = 0; at < text.size(); at += size) {
    EXPECT_TRUE(reader.Feed(std::string_view(text).substr(at, size),
                            [&](std::string_view data) { events.emplace_back(data); }));
  }
  return events;
}

TEST(SseReader, ReadsEventsHoweverTheyAreCut) {
  const std::string text =
      ": ping\n\ndata: {\"a\": 1}\n\nevent: x\r\ndata:two\r\ndata: lines\r\n\r\nid: 3\n\n"
      "data: old\r\rdatabase: no\n\ndata: [DONE]\n\n";
  for (const size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, text.size()}) {
    EXPECT_THAT(Events(text, size), ElementsAre("{\"a\": 1}", "two\nlines", "old", "[DONE]"))
        << size;
  }
}

TEST(SseReader, AnEventWithoutItsEmptyLineHasNotCome) {
  EXPECT_THAT(Events("data: half\n", 4), ElementsAre());
}

TEST(SseReader, GivesUpOnAnEndlessLine) {
  SseReader reader;
  const std::string part(1 << 20, 'x');
  bool reading = true;
  int parts = 0;
  while (reading && parts < 100) {
    reading = reader.Feed(part, [](std::string_view) {});
    ++parts;
  }
  EXPECT_FALSE(reading);
}

}  // namespace
}  // namespace aio
