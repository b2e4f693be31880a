// `aio report`: what other commands measured, as one page.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/run_environment.h"
#include "app/write_text.h"
#include "eval/data_file.h"
#include "pages/report_data.h"

namespace aio {

namespace {

struct ReportFlags {
  std::map<std::string, std::vector<std::string>> paths;  // by kind
  ReportOptions options;
  std::string html;
  std::string markdown;
  std::string json;
};

Status WriteReport(const ReportFlags& flags) {
  std::vector<ReportPart> parts;
  for (const ReportPartKind& kind : ReportPartKinds()) {
    for (const std::string& path : flags.paths.at(std::string(kind.name))) {
      AIO_ASSIGN_OR_RETURN(std::string text, ReadDataFile(path));
      parts.push_back({std::string(kind.name), path, std::move(text)});
    }
  }
  ReportOptions options = flags.options;
  options.date = Today();
  options.environment = DescribeMachine();
  if (!options.records_path.empty()) {
    AIO_ASSIGN_OR_RETURN(options.records, ReadDataFile(options.records_path));
  }
  AIO_ASSIGN_OR_RETURN(const std::string json, ReportJson(parts, options));
  if (!flags.json.empty()) AIO_RETURN_IF_ERROR(WriteText(flags.json, json + "\n"));
  if (!flags.markdown.empty()) {
    AIO_RETURN_IF_ERROR(WriteText(flags.markdown, ReportMarkdown(json)));
  }
  return flags.html.empty() ? Status::Ok() : WriteText(flags.html, ReportPage(json));
}

int RunReport(const ReportFlags& flags) {
  const bool empty = flags.options.records_path.empty() &&
                     std::all_of(flags.paths.begin(), flags.paths.end(),
                                 [](const auto& path) { return path.second.empty(); });
  if (empty) {
    Fail(InvalidArgument("report: give at least one of --eval, --mixed, --calibration, --paper"));
    return kExitUsage;
  }
  if (flags.html.empty() && flags.markdown.empty() && flags.json.empty()) {
    Fail(InvalidArgument("report: say what to write: --out, --markdown, --json"));
    return kExitUsage;
  }
  const Status status = WriteReport(flags);
  return status.ok() ? kExitOk : Fail(status);
}

}  // namespace

void RegisterReport(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "report", "One page of what eval, bench mixed, calibrate and reproduce have measured");
  auto flags = std::make_shared<ReportFlags>();
  for (const ReportPartKind& kind : ReportPartKinds()) {
    command->add_option(fmt::format("--{}", kind.name), flags->paths[std::string(kind.name)],
                        fmt::format("what `{}` printed", kind.command));
  }
  command->add_option("--records", flags->options.records_path,
                      "records of `aio bench mixed --records`, for a timeline");
  command->add_option("--timeline-of", flags->options.timeline_of,
                      "its configuration (default: the first that routed)");
  command->add_option("--title", flags->options.title, "of the page")->capture_default_str();
  command->add_option("-o,--out", flags->html, "HTML file to write");
  command->add_option("--markdown", flags->markdown, "Markdown file to write");
  command->add_option("--json", flags->json, "JSON file to write");
  command->footer(
      "The machine named is the one that this command runs on.\n"
      "Example:\n  aio report --mixed mixed.json --eval eval.json --out report.html");
  command->callback([flags, &exit_status] { exit_status = RunReport(*flags); });
}

}  // namespace aio
