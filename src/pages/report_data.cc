#include "pages/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "pages/fill_page.h"
#include "pages/page_templates.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kTimelineRequests = 120;  // that a page can show

Json Parse(std::string_view text) {
  return Json::parse(text, /*callback=*/nullptr, /*allow_exceptions=*/false);
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> ReadPart(const ReportPart& part) {
  const auto& kinds = ReportPartKinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const ReportPartKind& k) { return k.name == part.kind; });
  if (kind == kinds.end()) return InvalidArgument("no part of a report is called " + part.kind);
  Json json = Parse(part.text);
  if (!json.is_object()) {
    return InvalidArgument(
        fmt::format("{}: not a JSON object; `{}` writes one", part.path, kind->command));
  }
  for (const std::string_view key : kind->required) {
    if (json.contains(key)) continue;
    return InvalidArgument(fmt::format("{}: lacks \"{}\"; it should be what `{}` writes", part.path,
                                       key, kind->command));
  }
  return json;
}

// A second file of tasks or workloads has more of them.
Status AddTo(Json& first, const Json& json, const ReportPart& part) {
  for (const char* list : {"figures", "workloads"}) {
    if (!first.contains(list)) continue;
    if (!first[list].is_array() || !json[list].is_array()) {
      return InvalidArgument(fmt::format("{}: \"{}\" must be a list", part.path, list));
    }
    first[list].insert(first[list].end(), json[list].begin(), json[list].end());
    return Status::Ok();
  }
  return InvalidArgument(fmt::format("{}: a second file of --{}", part.path, part.kind));
}

// A member if it is there and of the type; else `otherwise`.
std::string Text(const Json& json, const char* key, const char* otherwise = "") {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : otherwise;
}
double Number(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number() ? it->get<double>() : 0;
}

// Requests of one configuration, in seconds from the first's arrival.
Json Timeline(const ReportOptions& options) {
  Json timeline = {{"configuration", options.timeline_of}, {"requests", Json::array()}};
  double from = 0;
  std::string_view rest = options.records;
  while (!rest.empty() && timeline["requests"].size() < kTimelineRequests) {
    const size_t end = rest.find('\n');
    const Json row = Parse(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!row.is_object() || !row.contains("end_ms") || row.contains("error")) continue;
    const std::string configuration = Text(row, "configuration");
    std::string shown = Text(timeline, "configuration");
    if (shown.empty() && row.contains("entropy")) {
      timeline["configuration"] = shown = configuration;
    }
    if (configuration != shown || shown.empty()) continue;
    const double start = Number(row, "intended_ms");
    if (timeline["requests"].empty()) from = start;
    timeline["requests"].push_back({{"id", Text(row, "id")},
                                    {"task", Text(row, "task")},
                                    {"role", Text(row, "role")},
                                    {"start", (start - from) / 1000},
                                    {"first", (Number(row, "first_token_ms") - from) / 1000},
                                    {"end", (Number(row, "end_ms") - from) / 1000}});
  }
  return timeline;
}

}  // namespace

const std::vector<ReportPartKind>& ReportPartKinds() {
  static const std::vector<ReportPartKind> kinds = {
      {"eval", "aio eval --json", {"figures", "models"}},
      {"mixed", "aio bench mixed --json", {"workloads"}},
      {"calibration", "aio calibrate --json", {"scalings", "after", "labels"}},
      {"paper", "aio reproduce --json", {"cells"}},
  };
  return kinds;
}

Result<std::string> ReportJson(const std::vector<ReportPart>& parts, const ReportOptions& options) {
  Json report = {{"title", options.title}, {"date", options.date}, {"environment", Json::object()}};
  for (const auto& [name, value] : options.environment) report["environment"][name] = value;
  report["parts"] = Json::array();
  for (const ReportPart& part : parts) {
    AIO_ASSIGN_OR_RETURN(Json json, ReadPart(part));
    report["parts"].push_back({{"kind", part.kind},
                               {"path", part.path},
                               {"sha256", Sha256Hex(part.text)},
                               {"command", Text(json, "command")}});
    if (!report.contains(part.kind)) {
      report[part.kind] = std::move(json);
    } else if (Status added = AddTo(report[part.kind], json, part); !added.ok()) {
      return added;
    }
  }
  if (!options.records_path.empty()) {
    Json timeline = Timeline(options);
    if (timeline["requests"].empty()) {
      return InvalidArgument(fmt::format(
          "{}: no answered request of {} in it; it should be what `aio bench mixed --records` "
          "writes",
          options.records_path,
          options.timeline_of.empty() ? "a policy" : '"' + options.timeline_of + '"'));
    }
    report["timeline"] = std::move(timeline);
    report["parts"].push_back({{"kind", "records"},
                               {"path", options.records_path},
                               {"sha256", Sha256Hex(options.records)}});
  }
  return Dump(report);
}

std::string ReportPage(std::string_view json) { return FillPage(ReportPageTemplate(), json); }

}  // namespace aio
