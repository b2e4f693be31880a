// `aio fit-head`: fits a probe head to labelled queries and measures it against the template.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/fit_head_report.h"
#include "app/head_examples.h"
#include "app/runtime.h"
#include "base/progress.h"
#include "eval/fit_head.h"
#include "eval/labelled_queries.h"
#include "router/head_file.h"

namespace aio {

namespace {

struct FitHeadFlags {
  RuntimeFlags runtime;
  std::vector<std::string> train;
  std::vector<std::string> test;
  std::vector<int> depths;
  std::vector<std::string> mixed;
  std::string scores;
  std::string out;
  HeadFitOptions fit;
  int per_label = 1000;
  int depth = -1;
  bool json = false;
};

// Splits and thins the training queries by their text: FNV-1a (Fowler, Noll, Vo), and a last mix
// (Stafford's, of SplitMix64), for its low bits depend on the text's low bits alone.
uint64_t Hash(const std::vector<ChatMessage>& messages) {
  uint64_t hash = 14695981039346656037u;
  for (const ChatMessage& message : messages) {
    for (const std::string* text : {&message.role, &message.content}) {
      for (const char c : *text + '\0') {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
      }
    }
  }
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  return hash ^ (hash >> 31);
}

// A quarter of them tunes. Without labels: whatever the texts are labelled with.
Result<std::vector<LabelledText>> ReadTexts(const std::vector<std::string>& paths,
                                            const std::vector<std::string>& labels) {
  std::map<uint64_t, LabelledText> by_hash;  // a text counts once; in an order of its own
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
      const uint64_t hash = Hash(query.messages);
      text.messages = std::move(query.messages);
      by_hash.emplace(hash, std::move(text));
    }
  }
  std::vector<LabelledText> texts;
  texts.reserve(by_hash.size());
  for (auto& [hash, text] : by_hash) {
    text.tunes = hash % 4 == 0;  // a quarter
    texts.push_back(std::move(text));
  }
  return texts;
}

// The first so many of each label, which is any so many.
std::vector<LabelledText> Thin(std::vector<LabelledText> texts, int per_label) {
  std::map<int, int> counts;
  std::erase_if(texts, [&](const LabelledText& text) { return ++counts[text.label] > per_label; });
  return texts;
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (out) return Status::Ok();
  return InvalidArgument(
      fmt::format("{}: could not be written; is its folder there, its disk full?", path));
}

std::vector<const HeadExample*> Pointers(const std::vector<HeadExample>& examples) {
  std::vector<const HeadExample*> pointers;
  pointers.reserve(examples.size());
  for (const HeadExample& example : examples) pointers.push_back(&example);
  return pointers;
}

class HeadFitting {
 public:
  HeadFitting(const FitHeadFlags& flags, const AppConfig& config, Runtime& runtime)
      : flags_(flags),
        template_(config.probe),
        info_(runtime.engine->Models().front()),
        reader_{*runtime.engine,
                runtime.clock,
                info_.name,
                {flags.depths.empty() ? CandidateDepths(info_.num_layers) : flags.depths,
                 flags.fit.window_tokens}} {
    template_.head.reset();
    report_.model = info_.name;
    for (const LabelQuery::Label& label : template_.labels) report_.labels.push_back(label.name);
  }

  Status Run() {
    AIO_ASSIGN_OR_RETURN(std::vector<LabelledText> train, ReadTexts(flags_.train, report_.labels));
    AIO_ASSIGN_OR_RETURN(const auto examples,
                         reader_.Read(Thin(std::move(train), flags_.per_label), "reading"));
    AIO_ASSIGN_OR_RETURN(report_.fits,
                         FitHeads(examples, static_cast<int>(report_.labels.size()), flags_.fit));
    ChooseDepth();
    std::vector<const HeadExample*> tuning;
    tuning.reserve(examples.size());
    for (const HeadExample& example : examples) {
      ++(example.tunes ? report_.rows_tuned : report_.rows_fitted);
      if (example.tunes) tuning.push_back(&example);
    }
    AIO_RETURN_IF_ERROR(Test());
    AIO_RETURN_IF_ERROR(TestWindows(tuning));
    flags_.json ? PrintReportJson(report_) : PrintReport(report_);
    return flags_.out.empty() ? Status::Ok() : Write();
  }

 private:
  void ChooseDepth() {
    report_.chosen = report_.fits.smallest;
    for (size_t i = 0; i < report_.fits.by_depth.size(); ++i) {
      if (report_.fits.by_depth[i].head.layers == flags_.depth)
        report_.chosen = static_cast<int>(i);
    }
  }

  Status Test() {
    if (flags_.test.empty()) return Status::Ok();
    AIO_ASSIGN_OR_RETURN(const std::vector<LabelledText> texts,
                         ReadTexts(flags_.test, report_.labels));
    AIO_ASSIGN_OR_RETURN(test_, reader_.Read(texts, "testing"));
    for (size_t depth = 0; depth < report_.fits.by_depth.size(); ++depth) {
      report_.tested.push_back(
          MeasureHead(report_.fits.by_depth[depth].head, Pointers(test_), static_cast<int>(depth)));
    }
    if (template_.suffix.empty()) return Status::Ok();
    AIO_ASSIGN_OR_RETURN(report_.template_right, CountTemplateRight(texts));
    return Status::Ok();
  }

  Result<int> CountTemplateRight(const std::vector<LabelledText>& texts) {
    int right = 0;
    ProgressBar progress("asking the template", static_cast<int64_t>(texts.size()), reader_.clock);
    for (size_t i = 0; i < texts.size(); ++i) {
      progress.Update(static_cast<int64_t>(i));
      Request request;
      request.model = reader_.model;
      request.prompt = texts[i].messages;
      std::promise<Result<LabelScores>> scored;
      AIO_RETURN_IF_ERROR(
          reader_.engine
              .ScoreLabels(request, template_,
                           [&](Result<LabelScores> s) { scored.set_value(std::move(s)); })
              .status());
      AIO_ASSIGN_OR_RETURN(const LabelScores scores, scored.get_future().get());
      const auto top = std::max_element(scores.logits.begin(), scores.logits.end());
      right += top - scores.logits.begin() == texts[i].label;
    }
    return right;
  }

  // What the windows say of texts about one thing and, if there are any, about several.
  Status TestWindows(const std::vector<const HeadExample*>& tuning) {
    std::vector<HeadExample> mixed;
    if (!flags_.mixed.empty()) {
      AIO_ASSIGN_OR_RETURN(const std::vector<LabelledText> texts, ReadTexts(flags_.mixed, {}));
      AIO_ASSIGN_OR_RETURN(mixed, reader_.Read(texts, "testing mixed texts"));
    }
    AIO_RETURN_IF_ERROR(WriteScores(tuning, mixed));
    const ProbeHead& head = report_.fits.by_depth[report_.chosen].head;
    for (int label = 0; label < head.num_labels(); ++label) {
      DissentFigures figures;
      figures.bound = DissentBound(head, tuning, report_.chosen, label, kKeptByBound);
      for (const HeadExample& example : test_) {
        if (example.label != label) continue;
        ++figures.texts;
        figures.doubted += Dissents(head, example, label, figures.bound);
      }
      for (const HeadExample& example : mixed) {
        ++figures.mixed;
        if (Top(head, example) != label) continue;
        ++figures.mixed_taken;
        figures.mixed_undoubted += !Dissents(head, example, label, figures.bound);
      }
      report_.dissent.push_back(figures);
    }
    return Status::Ok();
  }

  // Every text's scores and its windows', for whoever wants to draw conclusions of his own.
  Status WriteScores(const std::vector<const HeadExample*>& tuning,
                     const std::vector<HeadExample>& mixed) const {
    if (flags_.scores.empty()) return Status::Ok();
    const ProbeHead& head = report_.fits.by_depth[report_.chosen].head;
    std::string lines;
    const auto add = [&](std::string_view set, const HeadExample& example) {
      const HeadScores scores = Scores(head, example);
      nlohmann::ordered_json line = {{"set", set}};
      if (set != "mixed") line["intent"] = report_.labels[example.label];
      line["logits"] = scores.logits;
      line["window_tokens"] = example.depths[report_.chosen].tokens;
      line["window_logits"] = scores.window_logits;
      lines += line.dump() + '\n';
    };
    for (const HeadExample* example : tuning) add("tuning", *example);
    for (const HeadExample& example : test_) add("test", example);
    for (const HeadExample& example : mixed) add("mixed", example);
    return WriteFile(flags_.scores, lines);
  }

  HeadScores Scores(const ProbeHead& head, const HeadExample& example) const {
    return ApplyHead(head, example.depths[report_.chosen]);
  }
  int Top(const ProbeHead& head, const HeadExample& example) const {
    const std::vector<float> logits = Scores(head, example).logits;
    return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  bool Dissents(const ProbeHead& head, const HeadExample& example, int label, double bound) const {
    return StrongestDissent(Scores(head, example).window_logits, label) > bound;
  }

  Status Write() const {
    const HeadFit& fit = report_.fits.by_depth[report_.chosen];
    HeadFile file;
    file.head = fit.head;
    file.labels = report_.labels;
    file.model = info_.name;
    file.num_layers = info_.num_layers;
    file.vocabulary_fingerprint = info_.vocabulary_fingerprint;
    const auto now = static_cast<std::time_t>(reader_.clock.UnixSeconds());
    file.evidence = {.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(now)),
                     .rows = report_.rows_fitted,
                     .accuracy = fit.tuned.accuracy()};
    return WriteFile(flags_.out, ToToml(file));
  }

  const FitHeadFlags& flags_;
  LabelQuery template_;
  const ModelInfo info_;
  const HeadReader reader_;
  std::vector<HeadExample> test_;
  HeadReport report_;
};

int RunFitHead(const FitHeadFlags& flags) {
  const Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  const Result<std::unique_ptr<Runtime>> runtime = LoadRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  const Status status = HeadFitting(flags, *config, **runtime).Run();
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
  command->add_option("--scores", flags->scores,
                      "where to write, as JSON lines, what head and windows say of every text");
  command->add_option("-o,--out", flags->out, "the head's file, for [probe] head");
  command->add_option("--per-label", flags->per_label, "most training texts of one label")
      ->capture_default_str()
      ->check(CLI::Range(2, 1 << 20));
  command->add_option("--depths", flags->depths, "layers to try (default: all, or 9 of many)")
      ->delimiter(',');
  command->add_option("--depth", flags->depth,
                      "layers of the head that is written (default: the "
                      "least that keeps the accuracy)");
  command->add_option("--window", flags->fit.window_tokens, "tokens of a window")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 16));
  command->add_option("--window-share", flags->fit.window_share, "of a text's weight")
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
