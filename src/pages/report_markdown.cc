#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pages/report_data.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

const Json& At(const Json& json, std::initializer_list<const char*> keys) {
  static const Json nothing;
  const Json* at = &json;
  for (const char* key : keys) {
    if (!at->is_object()) return nothing;
    const auto it = at->find(key);
    if (it == at->end()) return nothing;
    at = &*it;
  }
  return *at;
}

std::string Text(const Json& json) { return json.is_string() ? json.get<std::string>() : ""; }

std::string Fixed(const Json& json, int digits, double scale = 1) {
  return json.is_number() ? fmt::format("{:.{}f}", scale * json.get<double>(), digits) : "–";
}

std::string Range(const Json& pair, int digits, double scale = 1) {
  if (!pair.is_array() || pair.size() != 2) return "";
  return fmt::format(" [{}, {}]", Fixed(pair[0], digits, scale), Fixed(pair[1], digits, scale));
}

// Text in a cell must not end it.
std::string Cell(std::string text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|') text.insert(i++, "\\");
    if (text[i] == '\n' || text[i] == '\r') text[i] = ' ';
  }
  return text;
}

void AddRow(std::string& out, const std::vector<std::string>& cells) {
  out += '|';
  for (const std::string& cell : cells) out += ' ' + Cell(cell) + " |";
  out += '\n';
}

void AddHead(std::string& out, const std::vector<std::string>& heads) {
  AddRow(out, heads);
  out += "|---|";
  for (size_t i = 1; i < heads.size(); ++i) out += "---:|";
  out += '\n';
}

void AddMixed(std::string& out, const Json& mixed) {
  out += "\n## Mixed workloads\n";
  for (const Json& workload : At(mixed, {"workloads"})) {
    out += fmt::format("\n**{}** ({} repeats, seed {})\n\n", Text(At(workload, {"workload"})),
                       At(workload, {"repeat"}).dump(), At(workload, {"seed"}).dump());
    AddHead(out, {"configuration", "accuracy, %", "tokens/s, mean", "harmonic",
                  "harmonic over large", "first token, p50 ms", "p99", "GB per 512 tokens"});
    for (const Json& row : At(workload, {"configurations"})) {
      AddRow(out, {Text(At(row, {"configuration"})),
                   Fixed(At(row, {"accuracy", "percent"}), 2) +
                       Range(At(row, {"accuracy", "interval"}), 1),
                   Fixed(At(row, {"load", "tokens_per_second", "arithmetic_mean"}), 1),
                   Fixed(At(row, {"load", "tokens_per_second", "harmonic_mean"}), 1),
                   Fixed(At(row, {"over_large", "harmonic_mean", "value"}), 2) +
                       Range(At(row, {"over_large", "harmonic_mean", "interval"}), 2),
                   Fixed(At(row, {"load", "first_token_ms", "p50"}), 1),
                   Fixed(At(row, {"load", "first_token_ms", "p99"}), 1),
                   Fixed(At(row, {"bytes_per_512_tokens"}), 2, 1e-9)});
    }
  }
}

std::string TaskName(const Json& figure) {
  const Json& context = At(figure, {"context"});
  const std::string name = Text(At(figure, {"task"}));
  const bool is_long = context.is_number() && context.get<double>() > 0;
  return is_long ? fmt::format("{} @{}", name, context.dump()) : name;
}

void AddEval(std::string& out, const Json& evaluation) {
  out += "\n## Tasks\n\n";
  AddHead(out, {"task", "configuration", "answers", "accuracy, %", "tokens/s", "on small, %"});
  for (const Json& figure : At(evaluation, {"figures"})) {
    AddRow(out,
           {TaskName(figure), Text(At(figure, {"configuration"})), At(figure, {"answers"}).dump(),
            Fixed(At(figure, {"accuracy"}), 1, 100) +
                fmt::format(" [{}, {}]", Fixed(At(figure, {"accuracy_low"}), 1, 100),
                            Fixed(At(figure, {"accuracy_high"}), 1, 100)),
            Fixed(At(figure, {"tokens_per_second"}), 1), Fixed(At(figure, {"on_small"}), 1, 100)});
  }
}

void AddProbe(std::string& out, const Json& calibration) {
  out += fmt::format(
      "\n## The probe\n\nHeld out: {} % of intents right, expected calibration error "
      "{}.\n",
      Fixed(At(calibration, {"after", "accuracy"}), 2, 100),
      Fixed(At(calibration, {"after", "ece"}), 4));
}

void AddPaper(std::string& out, const Json& paper) {
  out += "\n## The paper, recomputed\n\n";
  AddHead(out, {"cell", "published", "recomputed", "difference", "follows"});
  for (const Json& cell : At(paper, {"cells"})) {
    AddRow(out, {fmt::format("{} {} {}", Text(At(cell, {"table"})), Text(At(cell, {"cell"})),
                             Text(At(cell, {"figure"}))),
                 Fixed(At(cell, {"published"}), 2), Fixed(At(cell, {"recomputed", "value"}), 2),
                 Fixed(At(cell, {"difference"}), 2),
                 At(cell, {"follows"}) == Json(true) ? "yes" : "no"});
  }
}

void AddOrigin(std::string& out, const Json& report) {
  out += "\n## Where this comes from\n\n";
  AddHead(out, {"", ""});
  for (const auto& [name, value] : At(report, {"environment"}).items()) {
    AddRow(out, {name, Text(value)});
  }
  for (const Json& part : At(report, {"parts"})) {
    AddRow(out,
           {Text(At(part, {"kind"})),
            fmt::format("{} (SHA-256 {}…) {}", Text(At(part, {"path"})),
                        Text(At(part, {"sha256"})).substr(0, 16), Text(At(part, {"command"})))});
  }
}

}  // namespace

std::string ReportMarkdown(std::string_view json) {
  const Json report = Json::parse(json, /*callback=*/nullptr, /*allow_exceptions=*/false);
  std::string out =
      fmt::format("# {}\n\n{}\n", Text(At(report, {"title"})), Text(At(report, {"date"})));
  if (report.contains("mixed")) AddMixed(out, report["mixed"]);
  if (report.contains("eval")) AddEval(out, report["eval"]);
  if (report.contains("calibration")) AddProbe(out, report["calibration"]);
  if (report.contains("paper")) AddPaper(out, report["paper"]);
  AddOrigin(out, report);
  return out;
}

}  // namespace aio
