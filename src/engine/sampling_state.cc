#include "engine/sampling_state.h"

#include <utility>

namespace aio {

SamplingState::SamplingState(SamplingParams params, std::span<const int32_t> prompt)
    : params_(std::move(params)),
      has_penalties_(params_.repetition_penalty != 1.0f || params_.presence_penalty != 0.0f ||
                     params_.frequency_penalty != 0.0f) {
  if (params_.repetition_penalty == 1.0f) return;
  for (int32_t token : prompt) Entry(token);
}

void SamplingState::Append(int32_t token) {
  if (has_penalties_) ++Entry(token).in_answer;
}

SamplingState::Seen& SamplingState::Entry(int32_t token) {
  const auto [place, is_new] = index_.try_emplace(token, static_cast<int>(seen_.size()));
  if (is_new) seen_.push_back({token, 0});
  return seen_[place->second];
}

}  // namespace aio
