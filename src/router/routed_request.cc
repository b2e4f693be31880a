#include "router/routed_request.h"

#include <fmt/format.h>

#include <utility>

#include "router/cascade_generation.h"

namespace aio {
namespace {

constexpr std::string_view kContextLengthExceeded = "context_length_exceeded";

}  // namespace

std::string Brief(const Status& status) {
  constexpr size_t kShownMax = 60;
  std::string text = status.message().substr(0, kShownMax);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (status.message().size() > kShownMax) text += "...";
  return fmt::format("{}: {}", StatusCodeName(status.code()), text);
}

Result<Look> ToLook(Result<ProbeResult> result) {
  if (result.ok()) return Look{.probe = *std::move(result), .fault = {}};
  Status status = result.status();
  if (status.reason() == kContextLengthExceeded) return Look{};
  if (!IsFaultOfModel(status)) return status;
  return Look{.probe = std::nullopt, .fault = Brief(status)};
}

Request ForModel(Request request, const std::string& model) {
  request.model = model;
  request.weights.reset();
  return request;
}

Request Decided(Request request, const Decision& decision) {
  request.model = decision.model;
  request.weights.reset();  // the model's own
  request.strategy = decision.strategy;
  if (decision.probed) request.intent = decision.intent;
  return request;
}

}  // namespace aio
