// Averages of hidden states over windows of a sequence's text, as a probe head reads them
// (backend/probe_head.h).
#ifndef AIO_ENGINE_HIDDEN_POOL_H_
#define AIO_ENGINE_HIDDEN_POOL_H_

#include <span>
#include <vector>

#include "backend/probe_head.h"
#include "model/forward.h"

namespace aio {

// Positions [begin, end) of a sequence.
struct TokenRange {
  int begin = 0;
  int end = 0;

  int size() const { return end - begin; }
};

struct HiddenPoolOptions {
  std::vector<int> layers;  // after which hidden states are wanted; distinct
  TokenRange text;          // not empty
  int window_tokens = 16;
  int hidden_size = 0;
  float epsilon = 0;  // of the model's own norms
};

// Not thread-safe. Each position counts once however often it is computed, and in order, so that
// the averages do not depend on chunks or preemption by a bit. Reading takes nothing from the
// heap.
class HiddenPool final : public HiddenReader {
 public:
  explicit HiddenPool(const HiddenPoolOptions& options);

  const TokenRange& text() const { return text_; }
  // The first position whose hidden states are still to come; text().end when none are.
  int next_position() const;

  bool Wants(int layers) const override;
  void Read(int layers, int position, std::span<const float> x) override;

  // Once all is read: one a layer, in the order asked for. To be called once.
  std::vector<HiddenWindows> Take();

 private:
  struct Layer {
    HiddenWindows windows;  // means are sums until Take()
    int next_position = 0;
    int window = 0;  // that next_position is in
  };

  const TokenRange text_;
  const float epsilon_;
  const std::vector<float> ones_;  // [hidden]: the norm's weights
  std::vector<float> normed_;      // [hidden]
  std::vector<Layer> layers_;
};

}  // namespace aio

#endif  // AIO_ENGINE_HIDDEN_POOL_H_
