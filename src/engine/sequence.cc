#include "engine/sequence.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aio {

Sequence::Sequence(SequenceSetup setup)
    : id_(setup.id),
      accepted_(setup.accepted),
      deadline_(setup.deadline),
      arrival_(setup.arrival),
      cache_salt_(setup.cache_salt),
      num_layers_(setup.num_layers),
      num_prompt_tokens_(static_cast<int>(setup.prompt.size())),
      num_positions_max_(num_prompt_tokens_ + std::max(setup.answer_tokens_max - 1, 0)),
      tokens_(std::move(setup.prompt)) {
  AIO_CHECK(num_prompt_tokens_ > 0);
}

void Sequence::Admit(BlockTable blocks, int num_cached, TimePoint now) {
  AIO_CHECK(num_cached >= 0 && num_cached < num_tokens() && draft_.empty());
  blocks_ = std::move(blocks);
  num_computed_ = num_cached;
  if (was_admitted_) return;
  was_admitted_ = true;
  num_cached_ = num_cached;
  tokens_.reserve(num_positions_max_ + 1);
  blocks_.Reserve(BlockPool::BlocksFor(num_positions_max_));
  OnAdmitted(now);
}

void Sequence::Grow(BlockPool& pool, int count) {
  AIO_CHECK(blocks_.Grow(pool, count));
  AIO_CHECK(blocks_.size() <= BlockPool::BlocksFor(num_positions_max_));
}

void Sequence::SetDraft(std::span<const int32_t> draft) {
  AIO_CHECK(draft_.empty() && num_pending() == 1);
  AIO_CHECK(static_cast<int>(draft.size()) <= draft_room());
  draft_.assign(draft.begin(), draft.end());
}

void Sequence::CompleteRows(int count, const LogitRows& logits, Sampler& sampler, TimePoint now) {
  AIO_CHECK(count >= 1 && count <= num_pending());
  num_computed_ += count;
  if (wants_logits() ? logits.count == 0 : num_pending() > 0) return;
  Consume(logits, sampler, now, tokens_);
  // KV of guesses that did not come true is left behind the mark and overwritten. The last
  // sampled token is never computed yet.
  draft_.clear();
  num_computed_ = std::min(num_computed_, std::max(num_tokens() - 1, num_prompt_tokens_));
}

void Sequence::ShareBlocks(PrefixCache& cache) {
  if (num_layers_ != ForwardRow::kAllLayers) return;
  const size_t full = num_computed_ / KvCache::kBlockTokens * size_t{KvCache::kBlockTokens};
  cache.Insert(cache_salt_, tokens().first(full), blocks_);
}

void Sequence::ReleaseBlocks(PrefixCache& cache) {
  if (blocks_.size() == 0) return;
  if (num_layers_ == ForwardRow::kAllLayers) {
    cache.Insert(cache_salt_, tokens().first(num_computed_), blocks_);
  }
  blocks_.Clear();
  draft_.clear();
  num_computed_ = 0;
}

}  // namespace aio
