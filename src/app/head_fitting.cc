#include "app/head_fitting.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/progress.h"
#include "eval/probe_queries.h"
#include "eval/query_set.h"

namespace aio {

namespace {

int Top(const std::vector<float>& logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::vector<const HeadExample*> Pointers(const std::vector<HeadExample>& examples) {
  std::vector<const HeadExample*> pointers;
  pointers.reserve(examples.size());
  for (const HeadExample& example : examples) pointers.push_back(&example);
  return pointers;
}

std::vector<const HeadExample*> Tuning(const std::vector<HeadExample>& examples) {
  std::vector<const HeadExample*> tuning = Pointers(examples);
  std::erase_if(tuning, [](const HeadExample* example) { return !example->tunes; });
  return tuning;
}

}  // namespace

HeadFitting::HeadFitting(Runtime& runtime, const LabelQuery& probe, HeadFittingOptions options)
    : template_(probe),
      options_(std::move(options)),
      info_(runtime.engine->Models().front()),
      reader_{*runtime.engine,
              runtime.clock,
              info_.name,
              {options_.depths.empty() ? CandidateDepths(info_.num_layers) : options_.depths,
               options_.fit.window_tokens}} {
  template_.head.reset();
  report_.model = info_.name;
  for (const LabelQuery::Label& label : template_.labels) report_.labels.push_back(label.name);
}

Status HeadFitting::Fit(const std::vector<LabelledText>& texts) {
  AIO_ASSIGN_OR_RETURN(examples_, reader_.Read(texts, "reading"));
  AIO_ASSIGN_OR_RETURN(report_.fits, FitHeads(examples_, report_.labels, options_.fit));
  report_.chosen = report_.fits.smallest;
  for (size_t i = 0; i < report_.fits.by_depth.size(); ++i) {
    if (report_.fits.by_depth[i].head.layers == options_.depth) {
      report_.chosen = static_cast<int>(i);
    }
  }
  report_.rows_tuned = static_cast<int>(Tuning(examples_).size());
  report_.rows_fitted = static_cast<int>(examples_.size()) - report_.rows_tuned;
  return Status::Ok();
}

Status HeadFitting::Test(const std::vector<LabelledText>& texts) {
  AIO_ASSIGN_OR_RETURN(test_, reader_.Read(texts, "testing"));
  for (size_t depth = 0; depth < report_.fits.by_depth.size(); ++depth) {
    report_.tested.push_back(
        MeasureHead(report_.fits.by_depth[depth].head, Pointers(test_), static_cast<int>(depth)));
  }
  if (template_.suffix.empty()) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(report_.template_right, CountTemplateRight(texts));
  return Status::Ok();
}

Result<int> HeadFitting::CountTemplateRight(const std::vector<LabelledText>& texts) {
  std::vector<ProbeJob> jobs;
  jobs.reserve(texts.size());
  for (const LabelledText& text : texts) {
    jobs.push_back({HashMessages(text.messages), text.messages});
  }
  ProgressBar bar("asking the template", static_cast<int64_t>(texts.size()), reader_.clock);
  const ProbeRun run{.model = reader_.model, .labels = template_, .progress = [&](size_t done) {
                       bar.Update(static_cast<int64_t>(done));
                     }};
  ProbeCache seen;
  AIO_ASSIGN_OR_RETURN(const std::vector<ProbedQuery> probed,
                       ProbeAll(reader_.engine, run, jobs, seen));
  int right = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    right += probed[i].ok() && Top(probed[i].logits) == texts[i].label;
  }
  return right;
}

Status HeadFitting::TestWindows(const std::vector<LabelledText>& mixed) {
  AIO_ASSIGN_OR_RETURN(mixed_, reader_.Read(mixed, "testing mixed texts"));
  for (int label = 0; label < head().num_labels(); ++label) {
    DissentFigures figures;
    figures.bound = DissentBound(head(), Tuning(examples_), report_.chosen, label, kKeptByBound);
    for (const HeadExample& example : test_) {
      if (example.label != label) continue;
      ++figures.texts;
      figures.doubted += Dissents(example, label, figures.bound);
    }
    for (const HeadExample& example : mixed_) {
      ++figures.mixed;
      if (Top(Scores(example).logits) != label) continue;
      ++figures.mixed_taken;
      figures.mixed_undoubted += !Dissents(example, label, figures.bound);
    }
    report_.dissent.push_back(figures);
  }
  return Status::Ok();
}

HeadScores HeadFitting::Scores(const HeadExample& example) const {
  return ApplyHead(head(), example.depths[report_.chosen]);
}

bool HeadFitting::Dissents(const HeadExample& example, int label, double bound) const {
  return StrongestDissent(Scores(example).window_logits, label) > bound;
}

std::string HeadFitting::ScoreLines() const {
  std::string lines;
  const auto add = [&](std::string_view set, const HeadExample& example) {
    const HeadScores scores = Scores(example);
    nlohmann::ordered_json line = {{"set", set}};
    if (set != "mixed") line["intent"] = report_.labels[example.label];
    line["logits"] = scores.logits;
    line["window_tokens"] = example.depths[report_.chosen].tokens;
    line["window_logits"] = scores.window_logits;
    lines += line.dump() + '\n';
  };
  for (const HeadExample* example : Tuning(examples_)) add("tuning", *example);
  for (const HeadExample& example : test_) add("test", example);
  for (const HeadExample& example : mixed_) add("mixed", example);
  return lines;
}

HeadFile HeadFitting::File() const {
  HeadFile file;
  file.head = head();
  file.labels = report_.labels;
  file.model = info_.name;
  file.num_layers = info_.num_layers;
  file.vocabulary_fingerprint = info_.vocabulary_fingerprint;
  file.model_fingerprint = info_.fingerprint;
  const auto now = static_cast<std::time_t>(reader_.clock.UnixSeconds());
  file.evidence = {.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(now)),
                   .rows = report_.rows_fitted,
                   .accuracy = report_.fits.by_depth[report_.chosen].tuned.accuracy()};
  return file;
}

}  // namespace aio
