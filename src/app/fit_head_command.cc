// `aio fit-head`: fits a probe head to labelled queries and measures it against the template.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/head_fitting.h"
#include "app/runtime.h"
#include "app/write_text.h"
#include "eval/labelled_queries.h"
#include "eval/query_set.h"

namespace aio {

namespace {

struct FitHeadFlags {
  RuntimeFlags runtime;
  std::vector<std::string> train;
  std::vector<std::string> test;
  std::vector<std::string> mixed;
  std::string scores;
  std::string out;
  HeadFittingOptions fitting;
  int per_label = 1000;
  bool json = false;
};

// A quarter of them tunes. Without labels: whatever the texts are labelled with.
Result<std::vector<LabelledText>> ReadTexts(const std::vector<std::string>& paths,
                                            const std::vector<std::string>& labels) {
  std::map<std::string, LabelledText> by_hash;  // a text counts once; in an order of its own
  for (const std::string& path : paths) {
    AIO_ASSIGN_OR_RETURN(std::vector<LabelledQuery> queries, ReadLabelledQueries(path));
    for (LabelledQuery& query : queries) {
      const auto label = std::find(labels.begin(), labels.end(), query.intent);
      if (!labels.empty() && label == labels.end()) {
        return InvalidArgument(fmt::format("{}: line {}: intent \"{}\" is none of the probe's",
                                           path, query.line, query.intent));
      }
      LabelledText text;
      text.label = static_cast<int>(label - labels.begin());
      std::string hash = HashMessages(query.messages);
      text.tunes = hash.back() < '4';  // a quarter of hexadecimal digits
      text.messages = std::move(query.messages);
      by_hash.emplace(std::move(hash), std::move(text));
    }
  }
  std::vector<LabelledText> texts;
  texts.reserve(by_hash.size());
  for (auto& [hash, text] : by_hash) texts.push_back(std::move(text));
  return texts;
}

// The first so many of each label, which is any so many.
std::vector<LabelledText> Thin(std::vector<LabelledText> texts, int per_label) {
  std::map<int, int> counts;
  std::erase_if(texts, [&](const LabelledText& text) { return ++counts[text.label] > per_label; });
  return texts;
}

Status FitHead(const FitHeadFlags& flags, const AppConfig& config, Runtime& runtime) {
  HeadFitting fitting(runtime, config.probe, flags.fitting);
  AIO_ASSIGN_OR_RETURN(std::vector<LabelledText> train, ReadTexts(flags.train, fitting.labels()));
  AIO_RETURN_IF_ERROR(fitting.Fit(Thin(std::move(train), flags.per_label)));
  if (!flags.test.empty()) {
    AIO_ASSIGN_OR_RETURN(const std::vector<LabelledText> test,
                         ReadTexts(flags.test, fitting.labels()));
    AIO_RETURN_IF_ERROR(fitting.Test(test));
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<LabelledText> mixed, ReadTexts(flags.mixed, {}));
  AIO_RETURN_IF_ERROR(fitting.TestWindows(mixed));
  if (!flags.scores.empty()) {
    AIO_RETURN_IF_ERROR(WriteText(flags.scores, fitting.ScoreLines()));
  }
  if (flags.json) {
    fmt::print("{}\n", HeadReportJson(fitting.report()).dump(2));
  } else {
    PrintReport(fitting.report());
  }
  return flags.out.empty() ? Status::Ok() : WriteText(flags.out, ToToml(fitting.File()));
}

int RunFitHead(const FitHeadFlags& flags) {
  const Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  const Result<std::unique_ptr<Runtime>> runtime = LoadEmbeddedRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  const Status status = FitHead(flags, *config, **runtime);
  return status.ok() ? kExitOk : Fail(status);
}

}  // namespace

void RegisterFitHead(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "fit-head", "Fit a probe head, which needs no template, to labelled queries");
  auto flags = std::make_shared<FitHeadFlags>();
  command
      ->add_option("--train", flags->train,
                   "files to fit it to: JSON lines with \"prompt\" or \"messages\", and \"intent\"")
      ->required();
  command->add_option("--test", flags->test, "files to measure it and the template on");
  command->add_option("--mixed", flags->mixed,
                      "files of texts with several intents, to try what windows say on");
  command
      ->add_option("--scores", flags->scores,
                   "where to write, as JSON lines, what head and windows say of every text")
      ->check(WritableFault);
  command->add_option("-o,--out", flags->out, "the head's file, for [probe] head")
      ->check(WritableFault);
  command->add_option("--per-label", flags->per_label, "most training texts of one label")
      ->capture_default_str()
      ->check(CLI::Range(2, 1 << 20));
  command
      ->add_option("--depths", flags->fitting.depths, "layers to try (default: all, or 9 of many)")
      ->delimiter(',');
  command->add_option("--depth", flags->fitting.depth,
                      "layers of the head that is written (default: the "
                      "least that keeps the accuracy)");
  command->add_option("--window", flags->fitting.fit.window_tokens, "tokens of a window")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 16));
  command->add_option("--window-share", flags->fitting.fit.window_share, "of a text's weight")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command->add_flag("--json", flags->json, "figures as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "A quarter of the training texts, by a hash of their text, chooses the regularisation and\n"
      "the depth; test texts choose nothing.\n"
      "Example:\n  aio fit-head --train mine.jsonl --test unseen.jsonl --out head.toml");
  command->callback([flags, &exit_status] { exit_status = RunFitHead(*flags); });
}

}  // namespace aio
