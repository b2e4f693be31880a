#include "engine/draft_model.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kernels/kernels.h"

namespace aio {

DraftModel::DraftModel(const Host& host)
    : host_(host),
      kv_token_bytes_(KvCache::BlockBytes(host.model.config(), host.cache.type()) /
                      KvCache::kBlockTokens) {
  host_.prefixes.SetSpare([this] { return DropOldest(); });
}

DraftModel::~DraftModel() { host_.prefixes.SetSpare(nullptr); }

int64_t DraftModel::Draft(std::span<const DraftJob> jobs, const Clock& clock,
                          const GoesOn& goes_on) {
  bytes_moved_ = 0;
  work_.clear();
  for (const DraftJob& job : jobs) {
    if (job.count_max > 0) work_.push_back({.job = &job, .companion = &CompanionOf(*job.sequence)});
  }
  for (;;) {
    rows_.clear();
    for (Work& work : work_) BuildRows(work);
    if (rows_.empty()) return bytes_moved_;
    const TimePoint begin = clock.Now();
    const std::span<const float> logits =
        Forward(host_.model, rows_, host_.cache, host_.scratch, host_.pool);
    host_.costs.Observe(static_cast<int>(rows_.size()), ToMs(clock.Now() - begin));
    CountBytes();
    const float* next = logits.data();
    for (Work& work : work_) {
      if (!work.wants_guess) continue;
      const int known = std::min(host_.vocabulary_size, work.job->vocabulary_size);
      TakeGuess(work, {next, static_cast<size_t>(known)}, goes_on);
      next += host_.model.config().vocabulary_size;
    }
  }
}

int DraftModel::NumBehind(const Sequence& sequence) {
  return sequence.num_tokens() - static_cast<int>(CompanionOf(sequence).tokens.size());
}

void DraftModel::Forget(const Sequence& sequence) {
  const auto found = companions_.find(sequence.id());
  if (found != companions_.end()) Drop(found);
}

// In step with what the sequence's tokens are by now.
DraftModel::Companion& DraftModel::CompanionOf(const Sequence& sequence) {
  const auto [entry, is_new] = companions_.try_emplace(sequence.id());
  Companion& companion = entry->second;
  const std::span<const int32_t> tokens = sequence.tokens();
  if (is_new) {
    companion.salt = sequence.cache_salt();
    companion.use = by_use_.insert(by_use_.end(), sequence.id());
    companion.tokens.reserve(sequence.num_positions_max());
    companion.blocks.Reserve(BlockPool::BlocksFor(sequence.num_positions_max()));
    // At least the last token is computed, for its logits.
    TakePrefix(companion, tokens.first(tokens.size() - 1));
  } else {
    by_use_.splice(by_use_.end(), by_use_, companion.use);
  }
  const int last = std::min(static_cast<int>(companion.tokens.size()), sequence.num_tokens() - 1);
  int& agreed = companion.num_agreed;
  while (agreed < last && companion.tokens[agreed] == tokens[agreed]) ++agreed;
  companion.tokens.resize(agreed);
  return companion;
}

// What the drafter's cache has of the tokens: the probe read them, or an earlier request.
void DraftModel::TakePrefix(Companion& companion, std::span<const int32_t> tokens) {
  CachedPrefix prefix = host_.prefixes.Find(companion.salt, tokens);
  int count = prefix.num_tokens();
  const int num_shared = prefix.blocks.size();
  companion.blocks = std::move(prefix.blocks);
  if (prefix.tail_tokens > 0) {
    if (HasBlocks(companion, count)) {
      host_.cache.CopyBlock(prefix.tail.ids()[0], companion.blocks.ids()[num_shared]);
    } else {
      count -= prefix.tail_tokens;
    }
  }
  companion.tokens.assign(tokens.begin(), tokens.begin() + count);
  companion.num_agreed = count;
}

// The rows that come before the next guess, or as many as there is room for.
void DraftModel::BuildRows(Work& work) {
  const Sequence& sequence = *work.job->sequence;
  Companion& companion = *work.companion;
  const std::vector<int32_t>& guesses = work.job->drafting->by_model().tokens;
  const int num_tokens = sequence.num_tokens() + static_cast<int>(guesses.size());
  const int computed = static_cast<int>(companion.tokens.size());
  work.num_rows = 0;
  work.wants_guess = false;
  const bool is_done = static_cast<int>(guesses.size()) >= work.job->count_max || work.is_done ||
                       num_tokens > host_.model.config().context_length;
  const int room = host_.scratch.max_rows() - static_cast<int>(rows_.size());
  const int count = std::min(num_tokens - computed, room);
  if (is_done || count <= 0 || !HasBlocks(companion, computed + count)) {
    work.is_done = true;
    return;
  }
  if (!KnowsTokens(sequence, companion.num_agreed)) {
    work.is_done = true;
    return;
  }
  work.num_rows = count;
  work.wants_guess = computed + count == num_tokens;
  // A long prompt is not waited for: the rest of it in the next steps.
  work.is_done = !work.wants_guess;
  for (int position = computed; position < computed + count; ++position) {
    const int32_t token = position < sequence.num_tokens()
                              ? sequence.token_at(position)
                              : guesses[position - sequence.num_tokens()];
    const bool is_last = position + 1 == num_tokens;
    rows_.push_back({token, position, companion.blocks.ids(), is_last});
    companion.tokens.push_back(token);
  }
  companion.num_agreed = std::min(computed + count, sequence.num_tokens());
}

// Vocabularies that are the same but for padding: a token of the target's own is one too many.
bool DraftModel::KnowsTokens(const Sequence& sequence, int from) const {
  const std::span<const int32_t> tokens = sequence.tokens().subspan(from);
  return std::all_of(tokens.begin(), tokens.end(), [this](int32_t token) {
    return token < host_.model.config().vocabulary_size;
  });
}

void DraftModel::TakeGuess(Work& work, std::span<const float> logits, const GoesOn& goes_on) {
  Drafting& drafting = *work.job->drafting;
  const size_t num_guesses = drafting.by_model().tokens.size();
  const int position =
      work.job->sequence->num_tokens() + static_cast<int>(drafting.by_model().tokens.size());
  if (const TokenMask* mask = drafting.NextMask()) logits = sampler_.Masked(logits, *mask);
  // Penalties that the guesses before this one would bring are left out: they are guesses.
  const int32_t token = sampler_.Choose(logits, drafting.sampling(), position);
  drafting.ProposeByModel(token, ChanceOf(token, logits));
  const bool was_taken = drafting.by_model().tokens.size() > num_guesses;
  work.is_done = !was_taken || drafting.is_over() || !goes_on(*work.job);
}

float DraftModel::ChanceOf(int32_t token, std::span<const float> logits) {
  const float best = logits[ArgMax(logits)];
  weights_.resize(logits.size());
  ExpRelative(logits, best, 1.0F, weights_);
  double sum = 0;
  for (const float weight : weights_) sum += static_cast<double>(weight);
  return sum > 0 ? static_cast<float>(static_cast<double>(weights_[token]) / sum) : 0;
}

// Weights and KV once a pass; each sequence's part goes to its own account.
void DraftModel::CountBytes() {
  const int64_t weights = host_.model.summary().bytes_per_token;
  bytes_moved_ += weights;
  int num_working = 0;
  for (const Work& work : work_) num_working += work.num_rows > 0 ? 1 : 0;
  for (const Work& work : work_) {
    if (work.num_rows == 0) continue;
    const int64_t kv = static_cast<int64_t>(work.companion->tokens.size()) * kv_token_bytes_;
    bytes_moved_ += kv;
    work.job->sequence->AddTraffic(
        {.weight_bytes = weights / num_working, .kv_bytes = kv, .static_large_bytes = 0});
  }
}

// Companions are not taken back for one another: they would only take turns.
bool DraftModel::HasBlocks(Companion& companion, int positions) {
  const int missing = BlockPool::BlocksFor(positions) - companion.blocks.size();
  if (missing <= 0) return true;
  if (missing > host_.blocks.num_free() + host_.blocks.num_idle()) return false;
  return host_.prefixes.MakeRoom(missing) && companion.blocks.Grow(host_.blocks, missing);
}

bool DraftModel::DropOldest() {
  if (by_use_.empty()) return false;
  Drop(companions_.find(by_use_.front()));
  return true;
}

void DraftModel::Drop(Companions::iterator companion) {
  Companion& dropped = companion->second;
  const std::span<const int32_t> known(dropped.tokens.data(), dropped.num_agreed);
  if (dropped.blocks.size() > 0) host_.prefixes.Insert(dropped.salt, known, dropped.blocks);
  by_use_.erase(dropped.use);
  companions_.erase(companion);
}

}  // namespace aio
