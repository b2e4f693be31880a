#include "engine/model_runner.h"

#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace aio {

namespace {

SchedulerOptions MakeSchedulerOptions(const EngineOptions& options) {
  return {options.max_running, options.prefill_chunk_tokens, options.max_draft_tokens};
}

}  // namespace

Result<std::unique_ptr<ModelRunner>> ModelRunner::Create(EmbeddedModel model,
                                                         const EngineOptions& options,
                                                         ThreadPool& pool) {
  const int num_blocks = BlockPool::BlocksFor(static_cast<int>(options.kv_cache_tokens));
  Result<std::unique_ptr<KvCache>> cache =
      KvCache::Create(model.model->config(), options.kv_type, num_blocks);
  if (!cache.ok()) {
    return cache.status().WithContext(fmt::format("model \"{}\"", model.name));
  }
  return std::unique_ptr<ModelRunner>(
      new ModelRunner(std::move(model), options, pool, std::move(cache).value()));
}

Result<int64_t> ModelRunner::WorkingBytes(const ModelConfig& config, const EngineOptions& options) {
  const SchedulerOptions scheduler = MakeSchedulerOptions(options);
  const int64_t scratch =
      ForwardScratch::Bytes(config, scheduler.max_rows(), scheduler.max_logit_rows());
  const int64_t blocks = BlockPool::BlocksFor(static_cast<int>(options.kv_cache_tokens));
  int64_t bytes = 0;
  if (__builtin_mul_overflow(blocks, KvCache::BlockBytes(config, options.kv_type), &bytes) ||
      __builtin_add_overflow(bytes, scratch, &bytes)) {
    return InvalidArgument(fmt::format("a KV cache of {} tokens is more than any machine has",
                                       options.kv_cache_tokens))
        .WithParam("kv_cache_tokens");
  }
  return bytes;
}

ModelRunner::ModelRunner(EmbeddedModel model, const EngineOptions& options, ThreadPool& pool,
                         std::unique_ptr<KvCache> cache)
    : model_(std::move(model)),
      max_waiting_(options.max_waiting),
      scheduler_options_(MakeSchedulerOptions(options)),
      pool_(pool),
      cache_(std::move(cache)),
      scratch_(model_.model->config(), scheduler_options_.max_rows(),
               scheduler_options_.max_logit_rows()),
      samplers_(pool.num_threads()),
      blocks_(cache_->num_blocks()),
      scheduler_(scheduler_options_, blocks_, held_) {}

ContextLimits ModelRunner::limits() const {
  return {model_.model->config().context_length, cache_->num_blocks() * KvCache::kBlockTokens};
}

ModelLoad ModelRunner::Load() const {
  ModelLoad load;
  load.name = model_.name;
  load.running = running_.load(std::memory_order_relaxed);
  load.waiting = queue_places_taken_.load(std::memory_order_relaxed);
  load.kv_blocks_used = blocks_used_.load(std::memory_order_relaxed);
  load.kv_blocks_total = cache_->num_blocks();
  return load;
}

Status ModelRunner::TakeQueuePlace() {
  int taken = queue_places_taken_.load(std::memory_order_relaxed);
  do {
    if (taken >= max_waiting_) {
      return ResourceExhausted(fmt::format("{} requests wait for model \"{}\" already, the most "
                                           "that may (max_waiting); try again later",
                                           taken, model_.name))
          .WithReason("queue_full");
    }
  } while (!queue_places_taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
  return Status::Ok();
}

void ModelRunner::Add(std::unique_ptr<Sequence> sequence) {
  scheduler_.Add(std::move(sequence));
  ++known_waiting_;
}

void ModelRunner::Cancel(uint64_t sequence) {
  std::vector<std::unique_ptr<Sequence>> taken;
  if (auto found = scheduler_.Take(sequence)) taken.push_back(std::move(found));
  End(taken, [](const Sequence&) { return Cancelled("the request was cancelled"); });
}

void ModelRunner::ReleaseHeld(uint64_t held_prompt) {
  held_.Release(held_prompt);
  PublishLoad();
}

void ModelRunner::AbortAll(const std::function<Status(bool was_running)>& why) {
  End(scheduler_.TakeAll(),
      [&](const Sequence& sequence) { return why(sequence.blocks().size() > 0); });
}

void ModelRunner::Step(const Clock& clock) {
  const TimePoint now = clock.Now();
  End(scheduler_.TakeFinished(), [](const Sequence&) { return Internal("already finished"); });
  End(scheduler_.TakeExpired(now), [](const Sequence& sequence) {
    return DeadlineExceeded(sequence.blocks().size() > 0
                                ? "the request's deadline passed before its answer was complete"
                                : "the request's deadline passed while it waited for its turn");
  });
  scheduler_.Plan(now, plan_);
  PublishLoad();
  for (Sequence* sequence : plan_.admitted) sequence->Deliver();
  if (plan_.rows.empty()) return;

  CopyBlocks();
  Compute(clock);

  const std::vector<std::unique_ptr<Sequence>> finished = scheduler_.TakeFinished();
  for (const auto& sequence : finished) ReleaseBlocks(*sequence);
  PublishLoad();
  for (const PlannedRows& planned : plan_.rows) planned.sequence->Deliver();
}

void ModelRunner::CopyBlocks() {
  const ModelConfig& config = model_.model->config();
  const size_t element = cache_->type() == KvType::kF32 ? sizeof(float) : sizeof(uint16_t);
  const size_t head_bytes =
      static_cast<size_t>(KvCache::kBlockTokens) * static_cast<size_t>(config.head_size) * element;
  for (const BlockCopy& copy : plan_.copies) {
    for (int layer = 0; layer < config.num_layers; ++layer) {
      for (int head = 0; head < config.num_kv_heads; ++head) {
        std::memcpy(cache_->Keys(layer, copy.to, head), cache_->Keys(layer, copy.from, head),
                    head_bytes);
        std::memcpy(cache_->Values(layer, copy.to, head), cache_->Values(layer, copy.from, head),
                    head_bytes);
      }
    }
  }
}

void ModelRunner::BuildRows() {
  rows_.clear();
  for (const PlannedRows& planned : plan_.rows) {
    const Sequence& sequence = *planned.sequence;
    for (int position = planned.begin; position < planned.end(); ++position) {
      ForwardRow row;
      row.token = sequence.token_at(position);
      row.position = position;
      row.block_table = sequence.blocks().ids();
      row.wants_logits = position >= planned.end() - planned.num_logit_rows();
      rows_.push_back(row);
    }
  }
}

void ModelRunner::Compute(const Clock& clock) {
  BuildRows();
  const std::span<const float> logits = Forward(*model_.model, rows_, *cache_, scratch_, pool_);
  const int stride = model_.model->config().vocabulary_size;
  const float* next = logits.data();
  logits_.clear();
  for (const PlannedRows& planned : plan_.rows) {
    const int count = planned.num_logit_rows();
    logits_.push_back({next, count, model_.tokenizer->vocabulary_size(), stride});
    next += static_cast<ptrdiff_t>(count) * stride;
  }
  const TimePoint now = clock.Now();
  pool_.ParallelFor(plan_.rows.size(), [&](size_t i, int thread) {
    CompleteRows(plan_.rows[i], logits_[i], samplers_[thread], now);
  });
}

void ModelRunner::CompleteRows(const PlannedRows& planned, const LogitRows& logits,
                               Sampler& sampler, TimePoint now) {
  // One sequence's trouble must not take the others with it, nor leave a pool thread.
  try {
    planned.sequence->CompleteRows(planned.count, logits, sampler, now);
  } catch (const std::exception& e) {
    planned.sequence->Abort(Internal(fmt::format("sampling failed: {}", e.what())));
  }
}

void ModelRunner::ReleaseBlocks(Sequence& sequence) {
  BlockTable blocks = sequence.TakeBlocks();
  const int held_tokens = sequence.num_tokens_to_hold();
  if (held_tokens == 0) return;
  blocks.Truncate(BlockPool::BlocksFor(held_tokens));
  HeldPrefix prefix;
  prefix.tokens.assign(sequence.tokens().begin(), sequence.tokens().begin() + held_tokens);
  prefix.blocks = std::move(blocks);
  sequence.SetHeld(held_.Add(std::move(prefix)));
}

void ModelRunner::End(const std::vector<std::unique_ptr<Sequence>>& sequences,
                      const std::function<Status(const Sequence&)>& why) {
  if (sequences.empty()) return;
  for (const auto& sequence : sequences) {
    sequence->Abort(why(*sequence));
    sequence->TakeBlocks();
  }
  PublishLoad();
  for (const auto& sequence : sequences) sequence->Deliver();
}

void ModelRunner::PublishLoad() {
  running_.store(scheduler_.num_running(), std::memory_order_relaxed);
  blocks_used_.store(blocks_.num_used(), std::memory_order_relaxed);
  const int left_queue = known_waiting_ - scheduler_.num_waiting();
  known_waiting_ = scheduler_.num_waiting();
  if (left_queue > 0) queue_places_taken_.fetch_sub(left_queue, std::memory_order_relaxed);
}

}  // namespace aio
