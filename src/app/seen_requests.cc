#include "app/seen_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/read_bandwidth.h"
#include "decisions/log_reader.h"
#include "postgres/url.h"
#include "sim/sim_time.h"

namespace aio {

namespace {

using Json = nlohmann::json;

// Of text that has no such label: those that it may have had.
int LabelIndex(const std::string& label, std::vector<std::string>& labels) {
  if (label.empty()) return -1;
  const auto at = std::find(labels.begin(), labels.end(), label);
  if (at == labels.end()) {
    labels.push_back(label);
    return static_cast<int>(labels.size()) - 1;
  }
  return static_cast<int>(at - labels.begin());
}

// Arrivals of one second of the clock, evenly over it.
void SpreadSeconds(const std::vector<int64_t>& seconds, SimWorkload& workload) {
  for (size_t begin = 0; begin < seconds.size();) {
    size_t end = begin;
    while (end < seconds.size() && seconds[end] == seconds[begin]) ++end;
    for (size_t i = begin; i < end; ++i) {
      const double share = static_cast<double>(i - begin) / static_cast<double>(end - begin);
      const double at = static_cast<double>(seconds[begin] - seconds[0]) + share;
      workload.requests[i].arrival = SimSeconds(at);
    }
    begin = end;
  }
}

Result<SimWorkload> FromLog(const std::string& place) {
  AIO_ASSIGN_OR_RETURN(LogReader reader, LogReader::Open(place));
  // Without the password that a URL may have.
  const std::string shown = IsPostgresUrl(place) ? PostgresUrlToShow(place) : place;
  SimWorkload workload{.source = shown, .labels = {}, .requests = {}};
  workload.has_raw_logits = true;
  std::vector<int64_t> seconds;
  AIO_RETURN_IF_ERROR(reader.ReadAll([&](const LoggedRequest& logged) {
    const bool ended = logged.outcome && logged.outcome->complete();
    if (!ended || logged.outcome->completion_tokens < 1) return;
    SimRequest request{.prompt_tokens = std::max(logged.prompt_tokens, 1),
                       .answer_tokens = logged.outcome->completion_tokens};
    if (logged.signals && logged.signals->intent) {
      const auto& distribution = *logged.signals->intent;
      if (workload.labels.empty()) workload.labels = distribution.labels;
      request.intent = LabelIndex(logged.intent, workload.labels);
      request.label_logits = logged.signals->label_logits;
      if (request.label_logits.empty() && request.intent >= 0) {
        request.label_logits = LogitsOfEntropy(
            distribution.labels.size(), static_cast<size_t>(request.intent), distribution.entropy);
      }
    }
    seconds.push_back(seconds.empty() ? logged.unix_seconds
                                      : std::max(seconds.back(), logged.unix_seconds));
    workload.requests.push_back(std::move(request));
  }));
  SpreadSeconds(seconds, workload);
  return workload;
}

// What of a prompt's tokens the models that answered had found computed.
struct FoundTokens {
  // Of the large model, which has not probed the prompt: the template's words, or a system prompt.
  std::vector<double> alike;
  // Of the small model's prompts, what the probe had not read: the template's words at the end.
  std::vector<double> unprobed;

  void Add(const std::string& role, bool is_probed, int prompt_tokens, int cached_tokens) {
    if (role == "large" && cached_tokens > 0) alike.push_back(cached_tokens);
    if (role == "small" && is_probed) unprobed.push_back(prompt_tokens - cached_tokens);
  }
  void Apply(SimWorkload& workload) const {
    const int beginning = alike.empty() ? 0 : static_cast<int>(Median(alike));
    const int end = unprobed.empty() ? 0 : static_cast<int>(Median(unprobed));
    for (SimRequest& request : workload.requests) {
      // One is computed for its logits, known or not.
      request.unprobed_tokens = end > 1 ? std::min(end, request.prompt_tokens - 1) : 0;
      if (beginning == 0) continue;
      request.blocks = {0};
      request.block_tokens = std::min(beginning, request.prompt_tokens);
    }
  }
};

Result<SimWorkload> FromRecords(const std::string& path) {
  if (std::filesystem::is_directory(path)) return InvalidArgument(path + ": is a folder");
  std::ifstream file(path);
  if (!file) return NotFound(path + ": cannot be read");
  SimWorkload workload{.source = path, .labels = {"code", "qa", "math"}, .requests = {}};
  std::vector<double> entropies;
  FoundTokens found;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
      return InvalidArgument(
          fmt::format("{}:{}: is no record of `aio bench load --records`, nor "
                      "is the file a decision log",
                      path, number));
    }
    const auto number_of = [&](const char* key) {
      const auto at = json.find(key);
      return at != json.end() && at->is_number() ? at->get<double>() : -1;
    };
    const double arrival_ms = number_of("intended_ms");
    const double prompt_tokens = number_of("prompt_tokens");
    const double output_tokens = number_of("output_tokens");
    if (json.contains("error") || output_tokens == 0) continue;
    constexpr double kTokensMax = 1e8;
    constexpr double kMsMax = 1e12;
    struct Field {
      const char* name;
      double value;
      double max;
    };
    for (const Field& field : {Field{"intended_ms", arrival_ms, kMsMax},
                               Field{"prompt_tokens", prompt_tokens, kTokensMax},
                               Field{"output_tokens", output_tokens, kTokensMax}}) {
      if (field.value >= 0 && field.value <= field.max) continue;
      return InvalidArgument(fmt::format("{}:{}: {}: must be a number, from 0 to {:.0e}", path,
                                         number, field.name, field.max));
    }
    SimRequest request{.arrival = SimSeconds(arrival_ms / 1000),
                       .prompt_tokens = std::max(1, static_cast<int>(prompt_tokens)),
                       .answer_tokens = static_cast<int>(output_tokens)};
    const auto intent = json.find("intent");
    if (intent != json.end() && intent->is_string()) {
      request.intent = LabelIndex(intent->get<std::string>(), workload.labels);
    }
    entropies.push_back(std::max(0.0, number_of("entropy")));
    const auto role = json.find("role");
    if (role != json.end() && role->is_string()) {
      const double cached = std::clamp(number_of("cached_tokens"), 0.0, prompt_tokens);
      found.Add(role->get<std::string>(), request.intent >= 0, request.prompt_tokens,
                static_cast<int>(cached));
    }
    workload.requests.push_back(std::move(request));
  }
  found.Apply(workload);
  // Once all labels are known.
  for (size_t i = 0; i < workload.requests.size(); ++i) {
    SimRequest& request = workload.requests[i];
    if (request.intent < 0) continue;
    request.label_logits =
        LogitsOfEntropy(workload.labels.size(), static_cast<size_t>(request.intent), entropies[i]);
  }
  std::stable_sort(workload.requests.begin(), workload.requests.end(),
                   [](const SimRequest& a, const SimRequest& b) { return a.arrival < b.arrival; });
  return workload;
}

bool IsLog(const std::string& place) {
  if (IsPostgresUrl(place)) return true;
  std::ifstream file(place, std::ios::binary);
  std::string head(15, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head == "SQLite format 3";
}

double EntropyOf(double top, double others) {
  const auto part = [](double p) { return p > 0 ? -p * std::log(p) : 0; };
  return part(top) + others * part((1 - top) / others);
}

}  // namespace

std::vector<float> LogitsOfEntropy(size_t labels, size_t intent, double entropy) {
  std::vector<float> logits(labels, 0);
  if (labels < 2 || intent >= labels) return logits;
  // The entropy falls as the top label's probability rises from an even share.
  const auto others = static_cast<double>(labels - 1);
  double low = 1 / static_cast<double>(labels);
  double high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (EntropyOf(middle, others) > entropy ? low : high) = middle;
  }
  constexpr double kLeast = 1e-9;
  logits[intent] = static_cast<float>(std::log(std::max(high, kLeast)) -
                                      std::log(std::max((1 - high) / others, kLeast)));
  return logits;
}

Result<SimWorkload> ReadSeenRequests(const std::string& place) {
  AIO_ASSIGN_OR_RETURN(SimWorkload workload, IsLog(place) ? FromLog(place) : FromRecords(place));
  if (workload.requests.empty()) {
    return InvalidArgument(workload.source + ": has no request whose answer ended");
  }
  // What was never probed may be probed by another policy; nothing is known of it then.
  if (workload.labels.empty()) workload.labels = {"code", "qa", "math"};
  for (SimRequest& request : workload.requests) {
    if (request.label_logits.size() != workload.labels.size()) {
      request.label_logits.assign(workload.labels.size(), 0);
    }
  }
  return workload;
}

}  // namespace aio
