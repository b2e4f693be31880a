#include "engine/hidden_pool.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kernels/kernels.h"

namespace aio {

HiddenPool::HiddenPool(const HiddenPoolOptions& options)
    : text_(options.text),
      epsilon_(options.epsilon),
      ones_(options.hidden_size, 1.0f),
      normed_(options.hidden_size) {
  AIO_CHECK(text_.begin >= 0 && text_.size() > 0 && !options.layers.empty());
  const int num_windows = NumWindows(text_.size(), options.window_tokens);
  for (const int layers : options.layers) {
    Layer& layer = layers_.emplace_back();
    layer.next_position = text_.begin;
    layer.windows.layers = layers;
    layer.windows.hidden_size = options.hidden_size;
    layer.windows.means.resize(static_cast<size_t>(num_windows) * options.hidden_size);
    for (int w = 0; w < num_windows; ++w) {
      layer.windows.tokens.push_back(WindowBegin(w + 1, num_windows, text_.size()) -
                                     WindowBegin(w, num_windows, text_.size()));
    }
  }
}

int HiddenPool::next_position() const {
  int next = text_.end;
  for (const Layer& layer : layers_) next = std::min(next, layer.next_position);
  return next;
}

bool HiddenPool::Wants(int layers) const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [&](const Layer& layer) { return layer.windows.layers == layers; });
}

void HiddenPool::Read(int layers, int position, std::span<const float> x) {
  const auto layer = std::find_if(layers_.begin(), layers_.end(), [&](const Layer& candidate) {
    return candidate.windows.layers == layers;
  });
  AIO_CHECK(layer != layers_.end() && x.size() == normed_.size());
  if (position < layer->next_position || position >= text_.end) return;
  AIO_CHECK(position == layer->next_position, "a position was left out");
  HiddenWindows& windows = layer->windows;
  const int num_windows = windows.num_windows();
  if (position - text_.begin == WindowBegin(layer->window + 1, num_windows, text_.size())) {
    ++layer->window;
  }
  RmsNorm(x, ones_, epsilon_, normed_);
  AddInPlace(std::span(windows.means).subspan(layer->window * x.size(), x.size()), normed_);
  ++layer->next_position;
}

std::vector<HiddenWindows> HiddenPool::Take() {
  AIO_CHECK(next_position() == text_.end, "not all hidden states were read");
  std::vector<HiddenWindows> taken;
  for (Layer& layer : layers_) {
    HiddenWindows& windows = taken.emplace_back(std::move(layer.windows));
    for (size_t i = 0; i < windows.means.size(); ++i) {
      windows.means[i] /= static_cast<float>(windows.tokens[i / windows.hidden_size]);
    }
  }
  return taken;
}

}  // namespace aio
