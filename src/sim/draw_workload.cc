#include "sim/draw_workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>

#include "sim/sim_random.h"
#include "sim/sim_time.h"

namespace aio {
namespace {

// Independent sequences of random numbers, so that one more of one kind shifts no other.
struct Randoms {
  explicit Randoms(uint64_t seed)
      : arrivals(seed * 4 + 1),
        lengths(seed * 4 + 2),
        intents(seed * 4 + 3),
        choices(seed * 4 + 4) {}
  SimRandom arrivals;
  SimRandom lengths;
  SimRandom intents;
  SimRandom choices;
};

int DrawTokens(const SimLengths& lengths, SimRandom& random) {
  const double normal = random.Normal();
  if (lengths.deviation <= 0) return static_cast<int>(std::max(1.0, std::round(lengths.mean)));
  const double ratio = lengths.deviation / lengths.mean;
  const double sigma = std::sqrt(std::log1p(ratio * ratio));
  const double mu = std::log(lengths.mean) - sigma * sigma / 2;
  const double tokens = std::round(std::exp(mu + sigma * normal));
  return static_cast<int>(std::clamp(tokens, 1.0, static_cast<double>(kTraceTokensMax)));
}

// A probe that is right with the probability that it says. That is 1 - (1 - 1/K) u^c with u uniform
// and c such that it is `accuracy` on average; the rest is for the other labels alike.
std::vector<float> DrawLogits(const ProbeQuality& probe, size_t truth, SimRandom& random) {
  const std::vector<double>& row = probe.said[truth];
  const size_t labels = row.size();
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  const double accuracy = row[truth] / sum;
  const double worst = 1 - 1.0 / static_cast<double>(labels);
  const double u = random.Uniform();
  const double by_chance = random.Uniform();
  std::vector<double> others = row;
  others[truth] = 0;
  const bool can_err = accuracy < 1 && labels > 1;
  const size_t other = can_err ? random.Index(others) : truth;
  constexpr double kCertain = 1e-6;  // is left for others
  double sure = 1 - kCertain;
  if (can_err) {
    const double c = std::max(0.0, worst / (1 - accuracy) - 1);
    sure = std::min(sure, 1 - worst * std::pow(u, c));
  }
  const size_t said = can_err && by_chance >= sure ? other : truth;
  std::vector<float> logits(labels, 0);
  for (size_t i = 0; i < labels; ++i) {
    const double p = i == said ? sure : (1 - sure) / static_cast<double>(labels - 1);
    logits[i] = static_cast<float>(std::log(std::max(p, 1e-9)));
  }
  return logits;
}

struct IntentDraw {
  std::vector<size_t> labels;
  std::vector<double> shares;
};

Result<IntentDraw> IntentsOf(const WorkloadPlan& plan) {
  IntentDraw draw;
  const std::vector<std::string>& labels = plan.probe.labels;
  for (const auto& [name, share] : plan.intents) {
    const auto at = std::find(labels.begin(), labels.end(), name);
    if (at == labels.end()) {
      return InvalidArgument(
          fmt::format("the probe has no label '{}': it has {}", name, fmt::join(labels, ", ")));
    }
    draw.labels.push_back(static_cast<size_t>(at - labels.begin()));
    draw.shares.push_back(share);
  }
  if (draw.labels.empty()) {
    draw.labels.resize(labels.size());
    std::iota(draw.labels.begin(), draw.labels.end(), size_t{0});
    draw.shares.assign(labels.size(), 1);
  }
  return draw;
}

// So that a slip of a zero neither fills the memory nor takes a day.
constexpr double kRequestsMax = 2e7;
constexpr double kSecondsMax = 1e8;

Status CheckSize(const WorkloadPlan& plan) {
  const double requests =
      plan.seconds > 0 ? plan.seconds * plan.rate : static_cast<double>(plan.requests);
  if (requests <= kRequestsMax) return Status::Ok();
  return InvalidArgument(
      fmt::format("{:.3g} requests are more than {:.0g}, the most that are simulated at once: take "
                  "fewer seconds, or a part of the load on a part of the devices",
                  requests, kRequestsMax));
}

// A file's name without its folders; a URL as it is.
std::string LastName(const std::string& place) {
  if (place.find("://") != std::string::npos) return place;
  const size_t slash = place.rfind('/');
  return slash == std::string::npos ? place : place.substr(slash + 1);
}

std::vector<Duration> DrawArrivals(const WorkloadPlan& plan, SimRandom& random) {
  std::vector<Duration> arrivals;
  const int64_t requests =
      plan.seconds > 0 ? std::llround(std::max(1.0, plan.seconds * plan.rate)) : plan.requests;
  arrivals.reserve(static_cast<size_t>(requests));
  double at = 0;
  for (int64_t i = 0; i < requests; ++i) {
    at += plan.burstiness == 1 ? random.Exponential()
                               : random.Gamma(plan.burstiness) / plan.burstiness;
    arrivals.push_back(SimSeconds(at / plan.rate));
  }
  return arrivals;
}

// Faster or slower, so that `rate` requests a second come on average.
double TimeScale(const WorkloadPlan& plan, size_t requests, Duration length) {
  const double seconds = ToMs(length) / 1000;
  if (plan.rate <= 0 || seconds <= 0) return 1;
  return static_cast<double>(requests) / seconds / plan.rate;
}

Duration Scale(Duration time, double scale) {
  return scale == 1 ? time : SimSeconds(ToMs(time) / 1000 * scale);
}

// As it was recorded, with what it is about drawn.
Result<SimWorkload> FromTrace(const WorkloadPlan& plan, Randoms& randoms) {
  AIO_ASSIGN_OR_RETURN(const IntentDraw intents, IntentsOf(plan));
  const Trace& trace = *plan.trace;
  SimWorkload workload{
      .source = DescribeTraffic(plan), .labels = plan.probe.labels, .requests = {}};
  const double scale = TimeScale(plan, trace.requests.size(), trace.length());
  const auto add = [&](const TraceRequest& recorded, Duration arrival) {
    SimRequest request{.arrival = arrival,
                       .prompt_tokens = std::max(recorded.prompt_tokens, 1),
                       .answer_tokens = std::max(recorded.output_tokens, 1)};
    request.blocks = recorded.blocks;
    request.block_tokens = std::max(1, static_cast<int>(kTraceBlockTokens * trace.length_scale));
    const size_t truth = intents.labels[randoms.intents.Index(intents.shares)];
    request.intent = static_cast<int>(truth);
    request.label_logits = DrawLogits(plan.probe, truth, randoms.choices);
    workload.requests.push_back(std::move(request));
  };
  if (plan.rate > 0 && plan.seconds > 0) {
    const auto count = static_cast<double>(trace.requests.size());
    for (const Duration arrival : DrawArrivals(plan, randoms.arrivals)) {
      add(trace.requests[static_cast<size_t>(randoms.lengths.Uniform() * count)], arrival);
    }
    return workload;
  }
  for (const TraceRequest& recorded : trace.requests) add(recorded, Scale(recorded.arrival, scale));
  return workload;
}

Result<SimWorkload> FromSeen(const WorkloadPlan& plan, Randoms& randoms) {
  const SimWorkload& seen = *plan.seen;
  if (seen.requests.empty()) return InvalidArgument(seen.source + " has no requests");
  if (plan.rate <= 0) {
    SimWorkload workload = seen;
    workload.source = DescribeTraffic(plan);
    return workload;
  }
  SimWorkload workload{.source = DescribeTraffic(plan), .labels = seen.labels, .requests = {}};
  workload.has_raw_logits = seen.has_raw_logits;
  for (const Duration arrival : DrawArrivals(plan, randoms.arrivals)) {
    const auto count = static_cast<double>(seen.requests.size());
    workload.requests.push_back(
        seen.requests[static_cast<size_t>(randoms.choices.Uniform() * count)]);
    workload.requests.back().arrival = arrival;
  }
  return workload;
}

Result<SimWorkload> FromNothing(const WorkloadPlan& plan, Randoms& randoms) {
  if (plan.rate <= 0) return InvalidArgument("the requests have no rate: say --rate");
  AIO_ASSIGN_OR_RETURN(const IntentDraw intents, IntentsOf(plan));
  SimWorkload workload{
      .source = DescribeTraffic(plan), .labels = plan.probe.labels, .requests = {}};
  for (const Duration arrival : DrawArrivals(plan, randoms.arrivals)) {
    SimRequest request{.arrival = arrival};
    request.prompt_tokens = DrawTokens(plan.prompts, randoms.lengths);
    request.answer_tokens = DrawTokens(plan.answers, randoms.lengths);
    const size_t truth = intents.labels[randoms.intents.Index(intents.shares)];
    request.intent = static_cast<int>(truth);
    request.label_logits = DrawLogits(plan.probe, truth, randoms.choices);
    workload.requests.push_back(std::move(request));
  }
  return workload;
}

void Shorten(int context_length, SimWorkload& workload) {
  if (context_length <= 0) return;
  for (SimRequest& request : workload.requests) {
    if (int64_t{request.prompt_tokens} + request.answer_tokens <= context_length) continue;
    ++workload.shortened;
    // The prompt is what they are planned for: as much of it as leaves an answer a token.
    request.prompt_tokens = std::min(request.prompt_tokens, context_length - 1);
    request.answer_tokens = std::min(request.answer_tokens, context_length - request.prompt_tokens);
  }
}

}  // namespace

ProbeQuality ProbeQuality::Perfect(const std::vector<std::string>& labels) { return Of(labels, 1); }

ProbeQuality ProbeQuality::Of(const std::vector<std::string>& labels, double accuracy) {
  ProbeQuality quality{.labels = labels, .said = {}};
  const double others = static_cast<double>(labels.size()) - 1;
  for (size_t truth = 0; truth < labels.size(); ++truth) {
    std::vector<double> row(labels.size(), others > 0 ? (1 - accuracy) / others : 0);
    row[truth] = accuracy;
    quality.said.push_back(std::move(row));
  }
  return quality;
}

Result<SimWorkload> DrawWorkload(const WorkloadPlan& plan) {
  AIO_RETURN_IF_ERROR(CheckSize(plan));
  Randoms randoms(plan.seed);
  AIO_ASSIGN_OR_RETURN(SimWorkload workload, plan.trace != nullptr  ? FromTrace(plan, randoms)
                                             : plan.seen != nullptr ? FromSeen(plan, randoms)
                                                                    : FromNothing(plan, randoms));
  if (ToMs(workload.length()) / 1000 > kSecondsMax) {
    return InvalidArgument(
        fmt::format("the requests come over more than three years: take a rate "
                    "above {:g} a second, or fewer of them",
                    plan.rate));
  }
  Shorten(plan.context_length, workload);
  return workload;
}

double MeanRate(const WorkloadPlan& plan) {
  if (plan.rate > 0) return plan.rate;
  const auto rate = [](size_t requests, Duration length) {
    return static_cast<double>(requests) / std::max(ToMs(length) / 1000, 1e-3);
  };
  if (plan.trace != nullptr) return rate(plan.trace->requests.size(), plan.trace->length());
  if (plan.seen != nullptr) return rate(plan.seen->requests.size(), plan.seen->length());
  return 1;
}

std::string DescribeTraffic(const WorkloadPlan& plan) {
  const std::string arrivals = plan.burstiness == 1
                                   ? std::string("Poisson")
                                   : fmt::format("bursts of burstiness {:g}", plan.burstiness);
  std::string drawn = fmt::format("{}, {:g} requests/s, seed {}", arrivals, plan.rate, plan.seed);
  if (plan.trace != nullptr) {
    std::string name = LastName(plan.trace->source);
    if (plan.rate <= 0) return name;
    if (plan.seconds <= 0) return fmt::format("{}, at {:g} requests/s", name, plan.rate);
    return fmt::format("drawn from {}: {}", name, drawn);
  }
  if (plan.seen == nullptr) return drawn;
  const std::string name = LastName(plan.seen->source);
  return plan.rate <= 0 ? name : fmt::format("drawn from {}: {}", name, drawn);
}

}  // namespace aio
