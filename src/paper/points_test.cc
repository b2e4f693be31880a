#include "paper/points.h"

#include <gtest/gtest.h>

#include "paper/paper_tables.h"

namespace aio {
namespace {

std::vector<std::string> Front(const std::vector<AccuracyTpsPoint>& points, const std::string& on) {
  std::vector<std::string> front;
  for (const AccuracyTpsPoint& point : points) {
    if (point.on == on && point.on_front) front.push_back(point.configuration);
  }
  return front;
}

TEST(PointsTest, OneForEachFigureAndTheFrontOfEachPlot) {
  const auto tables = EmbeddedPaperTables();
  ASSERT_TRUE(tables.ok());
  const auto points = TaskPoints(tables->figures);
  EXPECT_EQ(points.size(), 9u * 5u);
  EXPECT_EQ(points.front().configuration, "static-small");
  EXPECT_EQ(points.front().on, "ceval");
  EXPECT_EQ(points.front().accuracy, 63.20);
  // On code: nothing is more accurate than the small model, and PLD alone is faster.
  EXPECT_EQ(Front(points, "humaneval"),
            (std::vector<std::string>{"static-small", "static-small-pld", "oracle"}));
  EXPECT_EQ(Front(MixPoints(tables->figures), "B"),
            (std::vector<std::string>{"static-small", "random", "aio"}));
}

TEST(PointsTest, FiguresThatAreMissingGiveNoPoint) {
  FigureTables tables;
  tables.tasks = {"a", "b"};
  tables.by_task = {{"x", {{50, std::nullopt}, {50, 3}}}};
  const auto points = TaskPoints(tables);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].on, "b");
  EXPECT_TRUE(points[0].on_front);
}

}  // namespace
}  // namespace aio
