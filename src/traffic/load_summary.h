// What many records say together.
#ifndef AIO_TRAFFIC_LOAD_SUMMARY_H_
#define AIO_TRAFFIC_LOAD_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backend/events.h"
#include "traffic/load_record.h"

namespace aio {

// By nearest rank: the least value that so many percent of all do not exceed. All 0 of nothing.
struct Percentiles {
  int64_t count = 0;
  double mean = 0;
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double max = 0;
};
Percentiles PercentilesOf(std::vector<double> values);

// Answered requests' tokens a second, three ways. A request's own rate is its output tokens over
// the time from its intended arrival to its end, so prompt, probe and queue count.
struct Rates {
  double arithmetic = 0;  // mean of the requests' rates: what tables of papers have
  double harmonic = 0;    // their harmonic mean: what a user waits for
  double total = 0;       // all output tokens over the time that the load ran
};

// What the machine costs while it runs; 0: not said.
struct Prices {
  double per_hour = 0;  // of any currency
  double watts = 0;
};

struct Costs {
  double price = 0;                     // of the whole run
  double price_per_million_tokens = 0;  // output tokens
  double joules = 0;
  double joules_per_token = 0;
};

// Means over the answered requests, ms.
struct OverheadMs {
  double probe = 0;  // template, probe and second look, of those that were probed: as the router
                     // counts it
  double queue = 0;  // from the chosen model's acceptance to its first step
  double prompt = 0;
  double decode = 0;
  // What is left of the time to the first token: deciding, handing over, the way of the events.
  double other = 0;
  // (probe + other) / the whole request, where the router took part; of all requests together.
  double share = 0;
};

struct LoadSummary {
  int64_t requests = 0;
  int64_t errors = 0;  // refused or broken off; they are in none of the figures below
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
  double seconds = 0;  // that the load ran
  Rates rates;
  Percentiles first_token_ms;  // from the intended arrival
  Percentiles per_token_ms;    // (last token - first token) / (tokens - 1), one a request
  Percentiles token_gap_ms;    // between events that follow each other
  Percentiles end_to_end_ms;   // from the intended arrival
  Percentiles sender_late_ms;  // how much later than intended requests went out
  OverheadMs overhead;
  Traffic traffic;            // summed; 0: not known
  int64_t small_answers = 0;  // by the small model; of routed requests
  std::optional<Costs> costs;
};

// `seconds`: how long the load ran; 0: from the first intended arrival to the last end.
LoadSummary Summarise(std::span<const LoadRecord> records, double seconds = 0,
                      const Prices& prices = {});

// From the first intended arrival to the last end; 0 without records.
double SpanSeconds(std::span<const LoadRecord> records);

}  // namespace aio

#endif  // AIO_TRAFFIC_LOAD_SUMMARY_H_
