#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "base/toml_table.h"
#include "eval/data_file.h"
#include "paper/measured_runs.h"
#include "paper/paper_tables.h"
#include "paper/report.h"
#include "paper/reproduction.h"

namespace aio {

namespace {

struct ReproduceFlags {
  std::string tables;
  std::string measured;
  std::vector<std::string> evals;
  std::vector<std::string> mixed;
  std::string policy = MeasuredRuns().policy;
  std::vector<std::string> stands_for;  // "pocket-code=humaneval"
  bool json = false;
  bool markdown = false;
};

Result<PaperTables> ReadPaper(const ReproduceFlags& flags) {
  if (flags.tables.empty()) return EmbeddedPaperTables();
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(flags.tables));
  return ParsePaperTables(text, flags.tables);
}

Result<Named<std::string>> ReadStandIns(const std::vector<std::string>& texts,
                                        const PaperTables& paper) {
  Named<std::string> stands_for;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::string task = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (equals == 0 || FindNamed(paper.tasks, task) == nullptr) {
      return InvalidArgument(fmt::format(
          "--stands-for '{}': write TASK=TASK, the second one of the paper's", text.substr(0, 80)));
    }
    stands_for.emplace_back(text.substr(0, equals), task);
  }
  return stands_for;
}

Result<std::vector<RunFile>> ReadRuns(const std::vector<std::string>& paths) {
  std::vector<RunFile> files;
  for (const std::string& path : paths) {
    AIO_ASSIGN_OR_RETURN(std::string text, ReadDataFile(path));
    files.push_back({path, std::move(text)});
  }
  return files;
}

// Nothing, where nothing was measured.
Result<std::optional<MeasuredTables>> ReadMeasured(const ReproduceFlags& flags,
                                                   const PaperTables& paper) {
  if (!flags.measured.empty()) {
    AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(flags.measured));
    AIO_ASSIGN_OR_RETURN(MeasuredTables tables, ParseMeasuredTables(text, flags.measured));
    return std::optional(std::move(tables));
  }
  if (flags.evals.empty() && flags.mixed.empty()) return std::optional<MeasuredTables>();
  MeasuredRuns runs;
  AIO_ASSIGN_OR_RETURN(runs.evals, ReadRuns(flags.evals));
  AIO_ASSIGN_OR_RETURN(runs.mixed, ReadRuns(flags.mixed));
  AIO_ASSIGN_OR_RETURN(runs.stands_for, ReadStandIns(flags.stands_for, paper));
  runs.policy = flags.policy;
  runs.ablation_mix = paper.ablation_scenario;
  AIO_ASSIGN_OR_RETURN(MeasuredTables tables, TablesOfRuns(runs));
  return std::optional(std::move(tables));
}

Result<Reproduction> ReadAndReproduce(const ReproduceFlags& flags) {
  AIO_ASSIGN_OR_RETURN(PaperTables paper, ReadPaper(flags));
  AIO_ASSIGN_OR_RETURN(std::optional<MeasuredTables> measured, ReadMeasured(flags, paper));
  return Reproduce(std::move(paper), std::move(measured));
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
  command->add_option("--eval", flags->evals,
                      "what `aio eval --out` wrote, to stand beside the paper's tasks");
  command->add_option("--mixed", flags->mixed,
                      "what `aio bench mixed --json` printed, to stand beside its mixes");
  command->add_option("--policy", flags->policy, "of these, what stands beside the paper's A-IO")
      ->capture_default_str();
  command->add_option("--stands-for", flags->stands_for,
                      "a task of these and the paper's that it stands for: my-code=humaneval");
  command
      ->add_option("--measured", flags->measured,
                   "instead of both: figures from elsewhere (docs/reproduction.md)")
      ->excludes("--eval")
      ->excludes("--mixed");
  CLI::Option* json = command->add_flag("--json", flags->json, "everything as JSON");
  command->add_flag("--markdown", flags->markdown, "with tables in Markdown")->excludes(json);
  command->footer("Example:\n  aio reproduce --eval eval.json --mixed mixed.json");
  command->callback([flags, &exit_status] { exit_status = RunReproduce(*flags); });
}

}  // namespace aio
