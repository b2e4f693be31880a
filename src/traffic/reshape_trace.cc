#include "traffic/reshape_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aio {
namespace {

double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

int Scaled(int tokens, double scale) {
  const double scaled = std::floor(static_cast<double>(tokens) * scale);
  return static_cast<int>(std::clamp(scaled, 1.0, static_cast<double>(kTraceTokensMax)));
}

}  // namespace

Status SelectWindow(Trace& trace, const TraceWindow& window) {
  std::erase_if(trace.requests, [&](const TraceRequest& request) {
    const Duration into = request.arrival - window.begin;
    return into < Duration{} || (window.length && into >= *window.length);
  });
  if (trace.requests.empty()) {
    return InvalidArgument(fmt::format(
        "{}: no request arrived in the window from {} s{}", trace.source, Seconds(window.begin),
        window.length ? fmt::format(" for {} s", Seconds(*window.length))
                      : std::string(" to the end")));
  }
  if (window.requests && *window.requests < static_cast<int64_t>(trace.requests.size())) {
    trace.requests.resize(static_cast<size_t>(*window.requests));
  }
  const Duration first = trace.requests.front().arrival;
  for (TraceRequest& request : trace.requests) request.arrival -= first;
  return Status::Ok();
}

void ScaleTime(Trace& trace, double scale) {
  AIO_CHECK(scale > 0);
  constexpr double kArrivalMax = 9e18;  // of what a Duration holds
  for (TraceRequest& request : trace.requests) {
    const double scaled = static_cast<double>(request.arrival.count()) * scale;
    request.arrival = Duration(static_cast<int64_t>(std::min(scaled, kArrivalMax)));
  }
}

FittedLengths FitLengths(Trace& trace, const LengthLimits& limits) {
  AIO_CHECK(limits.context_length >= 2);
  FittedLengths fitted;
  int64_t longest = 1;
  for (const TraceRequest& request : trace.requests) {
    longest = std::max(longest, int64_t{request.prompt_tokens} + request.output_tokens);
  }
  fitted.scale = limits.scale.value_or(
      std::min(1.0, static_cast<double>(limits.context_length) / static_cast<double>(longest)));
  trace.length_scale *= fitted.scale;
  for (TraceRequest& request : trace.requests) {
    const int prompt = Scaled(request.prompt_tokens, fitted.scale);
    const int output = Scaled(request.output_tokens, fitted.scale);
    request.output_tokens = std::min(output, limits.context_length - 1);
    request.prompt_tokens = std::min(prompt, limits.context_length - request.output_tokens);
    if (request.output_tokens < output || request.prompt_tokens < prompt) ++fitted.shortened;
  }
  return fitted;
}

}  // namespace aio
