#include "engine/fair_share.h"

#include <algorithm>

#include "base/check.h"

namespace aio {

FairShare::FairShare(const std::vector<double>& weights) {
  for (const double weight : weights) {
    AIO_CHECK(weight > 0);
    flows_.push_back({.weight = weight});
  }
}

int FairShare::Next(const std::vector<bool>& has_work) {
  AIO_CHECK(has_work.size() == flows_.size());
  int next = -1;
  for (size_t i = 0; i < flows_.size(); ++i) {
    Flow& flow = flows_[i];
    if (has_work[i] && !flow.had_work) flow.moved = std::max(flow.moved, now_);
    flow.had_work = has_work[i];
    if (has_work[i] && (next < 0 || flow.moved < flows_[next].moved)) next = static_cast<int>(i);
  }
  if (next >= 0) now_ = flows_[next].moved;
  return next;
}

void FairShare::Charge(int model, int64_t bytes) {
  flows_[model].moved += static_cast<double>(bytes) / flows_[model].weight;
}

}  // namespace aio
