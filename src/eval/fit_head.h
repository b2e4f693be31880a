// Fits probe heads (backend/probe_head.h) to labelled texts, one for every depth of the model that
// is a candidate, and finds the least depth that does.
#ifndef AIO_EVAL_FIT_HEAD_H_
#define AIO_EVAL_FIT_HEAD_H_

#include <string>
#include <vector>

#include "backend/probe_head.h"
#include "base/status.h"

namespace aio {

// A labelled text as the model's hidden states show it.
struct HeadExample {
  int label = 0;
  bool tunes = false;                 // chooses between fits, and is not fitted
  std::vector<HiddenWindows> depths;  // of the candidates, in the same order in every example
};

struct HeadFitOptions {
  int window_tokens = 16;  // that the examples' windows have
  // Tried in turn; see LogisticRegressionOptions.
  std::vector<double> l2 = {1e-1, 1e-2, 1e-3, 1e-4};
  // Of the weight of a text, what its windows have; the rest is on the text as a whole.
  double window_share = 0.3;
  // How much less accurate than the best a lesser depth may be.
  double accuracy_slack = 0.005;
};

// Of a head on some texts.
struct HeadQuality {
  int texts = 0;
  int right = 0;
  double log_loss = 0;  // mean of -log p(label), nats

  double accuracy() const { return texts == 0 ? 0 : static_cast<double>(right) / texts; }
};

struct HeadFit {
  ProbeHead head;
  double l2 = 0;
  HeadQuality tuned;  // on the examples that choose
};

struct HeadFits {
  std::vector<HeadFit> by_depth;  // in the order of the candidates
  // Indices into by_depth: the most accurate on the examples that choose, of equals the one of the
  // least log loss; and the least deep one that is within the slack of it.
  int best = 0;
  int smallest = 0;
};

// HeadExample::label is an index of `labels`. kInvalidArgument, naming it, when a label has no
// example to fit or none to choose by.
Result<HeadFits> FitHeads(const std::vector<HeadExample>& examples,
                          const std::vector<std::string>& labels, const HeadFitOptions& options);

// `depth` is an index of HeadExample::depths, which the head reads.
HeadQuality MeasureHead(const ProbeHead& head, const std::vector<const HeadExample*>& examples,
                        int depth);

// The StrongestDissent() (backend/probe_head.h) that the share `kept` of the examples of `label`
// does not exceed: what a text about that alone shows at most. 1 without such examples.
double DissentBound(const ProbeHead& head, const std::vector<const HeadExample*>& examples,
                    int depth, int label, double kept);

}  // namespace aio

#endif  // AIO_EVAL_FIT_HEAD_H_
