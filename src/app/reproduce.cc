#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "app/commands.h"
#include "base/toml_table.h"
#include "paper/paper_tables.h"
#include "paper/report.h"
#include "paper/reproduction.h"

namespace aio {

namespace {

struct ReproduceFlags {
  std::string tables;
  std::string measured;
  bool json = false;
  bool markdown = false;
};

Result<Reproduction> ReadAndReproduce(const ReproduceFlags& flags) {
  std::optional<MeasuredTables> measured;
  if (!flags.measured.empty()) {
    AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(flags.measured));
    AIO_ASSIGN_OR_RETURN(measured, ParseMeasuredTables(text, flags.measured));
  }
  if (flags.tables.empty()) {
    AIO_ASSIGN_OR_RETURN(PaperTables tables, EmbeddedPaperTables());
    return Reproduce(std::move(tables), std::move(measured));
  }
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(flags.tables));
  AIO_ASSIGN_OR_RETURN(PaperTables tables, ParsePaperTables(text, flags.tables));
  return Reproduce(std::move(tables), std::move(measured));
}

int RunReproduce(const ReproduceFlags& flags) {
  const auto reproduction = ReadAndReproduce(flags);
  if (!reproduction.ok()) return Fail(reproduction.status());
  if (flags.json) {
    fmt::print("{}\n", ReproductionJson(*reproduction));
  } else if (flags.markdown) {
    fmt::print("{}", ReportMarkdown(MakeReport(*reproduction)));
  } else {
    fmt::print("{}", ReportText(MakeReport(*reproduction)));
  }
  return kExitOk;
}

}  // namespace

void RegisterReproduce(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "reproduce", "Recompute the A-IO paper's tables from one another: what follows, what not");
  auto flags = std::make_shared<ReproduceFlags>();
  command->add_option("--tables", flags->tables,
                      "published figures, as data/paper/arxiv-2604.09752.json (built in)");
  command->add_option("--measured", flags->measured,
                      "figures measured here, to stand beside (docs/reproduction.md)");
  CLI::Option* json = command->add_flag("--json", flags->json, "everything as JSON");
  command->add_flag("--markdown", flags->markdown, "with tables in Markdown")->excludes(json);
  command->footer("Example:\n  aio reproduce --measured figures.json");
  command->callback([flags, &exit_status] { exit_status = RunReproduce(*flags); });
}

}  // namespace aio
