// A probe head: a linear classifier over a model's hidden states, which tells what a text is
// about from the pass that computes its KV anyway: no template, no further tokens.
//
// The score of a label at a position is W . h + b, h the hidden state there divided by its root
// mean square. Scores are averaged over the positions of a window, or of the text; since W . h is
// linear, that is the score of the average hidden state.
#ifndef AIO_BACKEND_PROBE_HEAD_H_
#define AIO_BACKEND_PROBE_HEAD_H_

#include <span>
#include <vector>

#include "base/status.h"

namespace aio {

// Plain data; belongs to the model that it was fitted on.
struct ProbeHead {
  int layers = 0;       // it reads what the model's first so many layers compute; 0: embeddings
  int hidden_size = 0;  // of the model
  int window_tokens = 16;
  std::vector<float> weights;  // [labels, hidden]
  std::vector<float> bias;     // [labels]; natural-log scale, as the scores

  int num_labels() const { return static_cast<int>(bias.size()); }
};

// kInvalidArgument when sizes contradict each other or a value is not finite.
Status CheckProbeHead(const ProbeHead& head);

// Averages of hidden states over windows of a text: what heads read and are fitted on.
struct HiddenWindows {
  int layers = 0;  // that computed them
  int hidden_size = 0;
  std::vector<int> tokens;   // [windows]: in each, >= 1
  std::vector<float> means;  // [windows, hidden]

  int num_windows() const { return static_cast<int>(tokens.size()); }
  std::span<const float> mean(int window) const {
    return std::span(means).subspan(static_cast<size_t>(window) * hidden_size, hidden_size);
  }
};

struct HeadScores {
  std::vector<float> logits;                      // [labels]: of the whole text
  std::vector<std::vector<float>> window_logits;  // [windows][labels]
};

// The softmax's value for `label`, in double.
double LabelProbability(const std::vector<float>& logits, int label);

// Sums in double, in a fixed order. `windows` are those of the head's layer, at least one.
HeadScores ApplyHead(const ProbeHead& head, const HiddenWindows& windows);

// What speaks most against a text's being about `label` alone: the greatest probability, over its
// windows, of any other label or labels. 0 without windows.
double StrongestDissent(const std::vector<std::vector<float>>& window_logits, int label);

// How a text of `tokens` > 0 is divided: into windows of about `window_tokens`, as even as can be.
int NumWindows(int tokens, int window_tokens);
// Where window `window` of `num_windows` begins; that of number `num_windows` is the end.
int WindowBegin(int window, int num_windows, int tokens);

}  // namespace aio

#endif  // AIO_BACKEND_PROBE_HEAD_H_
