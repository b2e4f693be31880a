// Whether a published accuracy can be a count of a data set's items (the GRIM test: Brown and
// Heathers, 2017): with 164 items answered once each, 67.68 % is 111 of 164 and 67.10 % is nothing.
#ifndef AIO_PAPER_GRANULARITY_H_
#define AIO_PAPER_GRANULARITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paper/paper_tables.h"

namespace aio {

struct CountCheck {
  std::string configuration;
  std::string task;      // "humaneval", or "humaneval, 32768 tokens"
  double published = 0;  // percent
  int items = 0;
  int64_t nearest = 0;         // count
  double nearest_percent = 0;  // that the count is
  bool possible = false;       // the count prints as published, rounded or cut off
};

// Of every configuration that is run, not computed from others (random, oracle), on the tasks
// whose number of items is known.
std::vector<CountCheck> CheckCounts(const PaperTables& tables);

}  // namespace aio

#endif  // AIO_PAPER_GRANULARITY_H_
