// Labelled texts as a model's hidden states show them: what probe heads are fitted on.
#ifndef AIO_APP_HEAD_EXAMPLES_H_
#define AIO_APP_HEAD_EXAMPLES_H_

#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/embedded_backend.h"
#include "eval/fit_head.h"

namespace aio {

struct LabelledText {
  std::vector<ChatMessage> messages;
  int label = 0;
  bool tunes = false;  // see HeadExample
};

// Layers after which a head may read: all of a model of few layers, else some in even steps. From
// 0, the embeddings, to num_layers.
std::vector<int> CandidateDepths(int num_layers);

// Where texts are read.
struct HeadReader {
  EmbeddedBackend& engine;
  const Clock& clock;
  std::string model;
  EmbeddedBackend::HiddenQuery query;

  // One example a text, in order, with a progress bar that says `what`. A text that does not fit
  // the model's context is left out.
  Result<std::vector<HeadExample>> Read(const std::vector<LabelledText>& texts,
                                        const std::string& what) const;
};

}  // namespace aio

#endif  // AIO_APP_HEAD_EXAMPLES_H_
