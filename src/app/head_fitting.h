// Fits a probe head to labelled texts and measures it beside the template on others.
#ifndef AIO_APP_HEAD_FITTING_H_
#define AIO_APP_HEAD_FITTING_H_

#include <string>
#include <string_view>
#include <vector>

#include "app/fit_head_report.h"
#include "app/head_examples.h"
#include "app/runtime.h"
#include "router/head_file.h"

namespace aio {

struct HeadFittingOptions {
  std::vector<int> depths;  // layers to try; empty: CandidateDepths()
  int depth = -1;           // of the head to take; -1: the least that keeps the accuracy
  HeadFitOptions fit;
};

// Shows progress while it reads texts. Fit() comes first; `runtime` outlives this. Not thread-safe.
class HeadFitting {
 public:
  // `probe`: the labels, and the template to compare with if there is one.
  HeadFitting(Runtime& runtime, const LabelQuery& probe, HeadFittingOptions options);

  // A LabelledText::label is an index of labels().
  Status Fit(const std::vector<LabelledText>& texts);
  // On texts that nothing was fitted to, which must not be empty.
  Status Test(const std::vector<LabelledText>& texts);
  // What the windows say of the texts that tuned and were tested, and of `mixed` ones, which are
  // about several things and whose label says nothing.
  Status TestWindows(const std::vector<LabelledText>& mixed);

  const std::vector<std::string>& labels() const { return report_.labels; }
  const HeadReport& report() const { return report_; }
  // JSON lines: what head and windows say of every text, for who wants to conclude more from it.
  std::string ScoreLines() const;
  // Of the chosen depth.
  HeadFile File() const;

 private:
  const ProbeHead& head() const { return report_.fits.by_depth[report_.chosen].head; }
  HeadScores Scores(const HeadExample& example) const;
  bool Dissents(const HeadExample& example, int label, double bound) const;
  Result<int> CountTemplateRight(const std::vector<LabelledText>& texts);

  LabelQuery template_;
  const HeadFittingOptions options_;
  const ModelInfo info_;
  const HeadReader reader_;
  std::vector<HeadExample> examples_;
  std::vector<HeadExample> test_;
  std::vector<HeadExample> mixed_;
  HeadReport report_;
};

}  // namespace aio

#endif  // AIO_APP_HEAD_FITTING_H_
