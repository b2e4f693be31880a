#include "engine/model_runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/fair_share.h"

namespace aio {

namespace {

SchedulerOptions MakeSchedulerOptions(const EngineOptions& options) {
  return {options.max_running, options.prefill_chunk_tokens, options.max_draft_tokens};
}

}  // namespace

Result<std::unique_ptr<ModelRunner>> ModelRunner::Create(EmbeddedModel model,
                                                         const EngineOptions& options,
                                                         ThreadPool& pool, const Clock& clock) {
  const int num_blocks = BlockPool::BlocksFor(static_cast<int>(options.kv_cache_tokens));
  Result<std::unique_ptr<KvCache>> cache =
      KvCache::Create(model.model->config(), options.kv_type, num_blocks);
  if (!cache.ok()) {
    return cache.status().WithContext(fmt::format("model \"{}\"", model.name));
  }
  return std::unique_ptr<ModelRunner>(
      new ModelRunner(std::move(model), options, pool, std::move(cache).value(), clock));
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
                         std::unique_ptr<KvCache> cache, const Clock& clock)
    : model_(std::move(model)),
      max_waiting_(options.max_waiting),
      scheduler_options_(MakeSchedulerOptions(options)),
      clock_(clock),
      pool_(pool),
      cache_(std::move(cache)),
      scratch_(model_.model->config(), scheduler_options_.max_rows(),
               scheduler_options_.max_logit_rows()),
      samplers_(pool.num_threads()),
      blocks_(cache_->num_blocks()),
      prefixes_(blocks_),
      costs_(MeasureSteps()),
      costs_are_measured_(options.max_draft_tokens > 0),
      speculator_(costs_, clock, model_.tokenizer->vocabulary_size()),
      scheduler_(scheduler_options_, blocks_, prefixes_, &speculator_),
      pacer_(options.prefill_step_max) {
  PublishLoad();
}

// While the cache holds nothing yet: its first blocks are written at will. After some context,
// like steps of requests: attention takes its time for every token of a step.
StepCosts ModelRunner::MeasureSteps() {
  if (scheduler_options_.max_draft_tokens == 0) return {};
  // A server starts in less than half a second with models as small as the bundled ones; the costs
  // are followed anyway.
  constexpr Duration kBudget = std::chrono::milliseconds(80);
  constexpr int kContext = 512;
  const int rows_max = std::min({KvCache::kBlockTokens, model_.model->config().context_length,
                                 scheduler_options_.max_logit_rows()});
  const int positions =
      std::min(model_.model->config().context_length, cache_->num_blocks() * KvCache::kBlockTokens);
  const int context = std::min(kContext, positions - rows_max);
  std::vector<int32_t> blocks(BlockPool::BlocksFor(context + rows_max));
  std::iota(blocks.begin(), blocks.end(), 0);
  // So that no page is met for the first time while time counts.
  for (const int32_t block : blocks) cache_->CopyBlock(blocks[0], block);
  std::vector<ForwardRow> rows(rows_max);
  for (int i = 0; i < rows_max; ++i) rows[i] = {0, context + i, blocks, true};
  return StepCosts::Measure(rows_max, kBudget, clock_, [&](int count) {
    Forward(*model_.model, std::span(rows).first(count), *cache_, scratch_, pool_);
  });
}

void ModelRunner::SetDrafter(ModelRunner& drafter) {
  if (drafter.as_drafter_ == nullptr) {
    drafter.as_drafter_ = std::make_unique<DraftModel>(
        DraftModel::Host{*drafter.model_.model, *drafter.cache_, drafter.blocks_, drafter.prefixes_,
                         drafter.scratch_, drafter.costs_, drafter.pool_,
                         drafter.model_.tokenizer->vocabulary_size()});
  }
  speculator_.SetDraftModel(drafter.as_drafter_.get());
}

ContextLimits ModelRunner::limits() const {
  return {model_.model->config().context_length, cache_->num_blocks() * KvCache::kBlockTokens};
}

ModelLoad ModelRunner::Load() const {
  ModelLoad load;
  load.name = model_.name;
  load.running = running_.load(std::memory_order_relaxed);
  load.waiting = queue_places_taken_.load(std::memory_order_relaxed);
  load.kv_blocks_used = blocks_used_.load(std::memory_order_relaxed);
  load.kv_blocks_idle = blocks_idle_.load(std::memory_order_relaxed);
  load.kv_blocks_total = cache_->num_blocks();
  load.preemptions = preemptions_.load(std::memory_order_relaxed);
  load.prefix_tokens_asked = prefix_tokens_asked_.load(std::memory_order_relaxed);
  load.prefix_tokens_found = prefix_tokens_found_.load(std::memory_order_relaxed);
  load.step_ms = step_ms_.load(std::memory_order_relaxed);
  load.tokens_per_second = tokens_per_second_.load(std::memory_order_relaxed);
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

void ModelRunner::AbortAll(const std::function<Status(bool was_running)>& why) {
  End(scheduler_.TakeAll(), [&](const Sequence& sequence) { return why(sequence.was_admitted()); });
}

int64_t ModelRunner::Step(bool others_wait) {
  const TimePoint begin = clock_.Now();
  EndThoseWhoMust(begin);
  const bool is_paced = others_wait || scheduler_.is_decoding();
  scheduler_.Plan(begin, is_paced ? pacer_.Tokens() : scheduler_options_.prefill_chunk_tokens,
                  plan_);
  const Speculator::DraftWork drafts = speculator_.TakeDraftWork();
  PublishLoad();
  for (Sequence* sequence : plan_.admitted) sequence->Deliver();
  if (plan_.rows.empty()) return drafts.bytes_moved;
  const int64_t bytes = BytesMoved() + drafts.bytes_moved;

  CopyBlocks();
  SortByLayers();
  const int tokens_before = TokensPlanned();
  Compute();
  const int given = TokensPlanned() - tokens_before;
  ShareNewPrompts();

  const std::vector<std::unique_ptr<Sequence>> finished = scheduler_.TakeFinished();
  for (const auto& sequence : finished) Leave(*sequence);
  PublishLoad();
  for (const PlannedRows& planned : plan_.rows) planned.sequence->Deliver();
  ObserveStep(given, clock_.Now() - begin - drafts.time, drafts.time);
  return bytes;
}

int ModelRunner::TokensPlanned() const {
  int tokens = 0;
  for (const PlannedRows& planned : plan_.rows) tokens += planned.sequence->num_tokens();
  return tokens;
}

void ModelRunner::ObserveStep(int given, Duration elapsed, Duration drafting) {
  pacer_.Observe(plan_.num_prefill_tokens, elapsed);
  if (plan_.num_prefill_tokens > 0 || has_early_exit()) return;
  costs_.Observe(plan_.num_rows, ToMs(elapsed));
  costs_are_measured_ = true;
  const double seconds = ToMs(elapsed + drafting) / 1000;
  if (given == 0 || seconds <= 0) return;
  constexpr double kNewest = 0.1;  // its weight in the running mean
  const double rate = given / seconds / static_cast<double>(plan_.rows.size());
  const double before = tokens_per_second_.load(std::memory_order_relaxed);
  tokens_per_second_.store(before == 0 ? rate : before + kNewest * (rate - before),
                           std::memory_order_relaxed);
}

void ModelRunner::EndThoseWhoMust(TimePoint now) {
  End(scheduler_.TakeFinished(), [](const Sequence&) { return Internal("already finished"); });
  End(scheduler_.TakeExpired(now), [](const Sequence& sequence) {
    return DeadlineExceeded(sequence.was_admitted()
                                ? "the request's deadline passed before its answer was complete"
                                : "the request's deadline passed while it waited for its turn");
  });
}

// The prompts that this step completed, for others who begin with the same tokens.
void ModelRunner::ShareNewPrompts() {
  for (const PlannedRows& planned : plan_.rows) {
    Sequence& sequence = *planned.sequence;
    const int prompt = sequence.num_prompt_tokens();
    if (planned.begin < prompt && planned.end() >= prompt) sequence.ShareBlocks(prefixes_);
  }
}

int64_t ModelRunner::BytesMoved() const {
  int64_t weight_bytes = 0;
  int64_t kv_bytes = 0;
  for (const PlannedRows& planned : plan_.rows) {
    const int num_layers = planned.sequence->num_layers();
    weight_bytes += planned.count * WeightBytes(num_layers);
    kv_bytes +=
        int64_t{planned.count} * (planned.begin + planned.end()) / 2 * KvTokenBytes(num_layers);
  }
  return ChargedBytes(plan_.num_rows, kRowsPerRead, weight_bytes / plan_.num_rows, kv_bytes);
}

int64_t ModelRunner::kv_token_bytes() const {
  return KvCache::BlockBytes(model_.model->config(), cache_->type()) / KvCache::kBlockTokens;
}

int64_t ModelRunner::KvTokenBytes(int num_layers) const {
  const int all = model_.model->config().num_layers;
  return kv_token_bytes() / all * std::min(num_layers, all);
}

int64_t ModelRunner::WeightBytes(int num_layers) const {
  if (num_layers == ForwardRow::kAllLayers) return weight_bytes();
  int64_t bytes = 0;
  for (int i = 0; i < num_layers; ++i) bytes += MatrixBytes(model_.model->weights().layers[i]);
  return bytes;
}

// Each sequence's part of what the step reads: every layer's weights once, shared by those that
// compute it, the last of plan_.rows for the fewest layers; its KV once.
void ModelRunner::CountTraffic() {
  int64_t share = 0;
  int64_t counted = 0;  // weights that `share` is of
  for (size_t i = plan_.rows.size(); i-- > 0;) {
    Sequence& sequence = *plan_.rows[i].sequence;
    const int64_t bytes = WeightBytes(sequence.num_layers());
    share += (bytes - counted) / static_cast<int64_t>(i + 1);
    counted = bytes;
    sequence.AddTraffic({.weight_bytes = share,
                         .kv_bytes = plan_.rows[i].end() * KvTokenBytes(sequence.num_layers()),
                         .static_large_bytes = 0});
  }
}

bool ModelRunner::has_early_exit() const {
  return std::any_of(plan_.rows.begin(), plan_.rows.end(), [](const PlannedRows& planned) {
    return planned.sequence->num_layers() != ForwardRow::kAllLayers;
  });
}

// As Forward() wants them: those that end early are the last.
void ModelRunner::SortByLayers() {
  if (!has_early_exit()) return;
  std::stable_sort(plan_.rows.begin(), plan_.rows.end(),
                   [](const PlannedRows& a, const PlannedRows& b) {
                     return a.sequence->num_layers() > b.sequence->num_layers();
                   });
}

// What the tokens that came out of the step would have cost: a step of the large model each.
int64_t ModelRunner::StaticLargeBytes(const PlannedRows& planned, int tokens_before) const {
  if (static_large_.weight_bytes == 0) return 0;
  const int steps = std::max(planned.sequence->num_tokens() - tokens_before, 1);
  return steps * (static_large_.weight_bytes / static_cast<int64_t>(plan_.rows.size()) +
                  planned.end() * static_large_.kv_token_bytes);
}

void ModelRunner::CopyBlocks() {
  for (const BlockCopy& copy : plan_.copies) cache_->CopyBlock(copy.from, copy.to);
}

void ModelRunner::BuildRows() {
  rows_.clear();
  for (const PlannedRows& planned : plan_.rows) {
    Sequence& sequence = *planned.sequence;
    for (int position = planned.begin; position < planned.end(); ++position) {
      ForwardRow row;
      row.token = sequence.token_at(position);
      row.position = position;
      row.block_table = sequence.blocks().ids();
      row.wants_logits = position >= planned.end() - planned.num_logit_rows();
      row.num_layers = sequence.num_layers();
      row.hidden = sequence.hidden_reader(position);
      rows_.push_back(row);
    }
  }
}

void ModelRunner::Compute() {
  BuildRows();
  CountTraffic();
  const std::span<const float> logits = Forward(*model_.model, rows_, *cache_, scratch_, pool_);
  const int stride = model_.model->config().vocabulary_size;
  const float* next = logits.data();
  logits_.clear();
  for (const PlannedRows& planned : plan_.rows) {
    const int count = planned.num_logit_rows();
    logits_.push_back({next, count, model_.tokenizer->vocabulary_size(), stride});
    next += static_cast<ptrdiff_t>(count) * stride;
  }
  const TimePoint now = clock_.Now();
  pool_.ParallelFor(plan_.rows.size(), [&](size_t i, int thread) {
    CompleteRows(plan_.rows[i], logits_[i], samplers_[thread], now);
  });
}

void ModelRunner::CompleteRows(const PlannedRows& planned, const LogitRows& logits,
                               Sampler& sampler, TimePoint now) {
  Sequence& sequence = *planned.sequence;
  const int tokens_before = sequence.num_tokens();
  // One sequence's trouble must not take the others with it, nor leave a pool thread.
  try {
    sequence.CompleteRows(planned.count, logits, sampler, now);
  } catch (const std::exception& e) {
    sequence.Abort(Internal(fmt::format("sampling failed: {}", e.what())));
  }
  sequence.AddTraffic({.weight_bytes = 0,
                       .kv_bytes = 0,
                       .static_large_bytes = StaticLargeBytes(planned, tokens_before)});
}

void ModelRunner::End(const std::vector<std::unique_ptr<Sequence>>& sequences,
                      const std::function<Status(const Sequence&)>& why) {
  if (sequences.empty()) return;
  for (const auto& sequence : sequences) {
    sequence->Abort(why(*sequence));
    Leave(*sequence);
  }
  PublishLoad();
  for (const auto& sequence : sequences) sequence->Deliver();
}

void ModelRunner::Leave(Sequence& sequence) {
  sequence.ReleaseBlocks(prefixes_);
  speculator_.Forget(sequence);
}

void ModelRunner::PublishLoad() {
  if (costs_are_measured_) step_ms_.store(costs_.Ms(1), std::memory_order_relaxed);
  running_.store(scheduler_.num_running(), std::memory_order_relaxed);
  blocks_used_.store(blocks_.num_used(), std::memory_order_relaxed);
  blocks_idle_.store(blocks_.num_idle(), std::memory_order_relaxed);
  const SchedulerCounts& counts = scheduler_.counts();
  preemptions_.store(counts.preemptions, std::memory_order_relaxed);
  prefix_tokens_asked_.store(counts.prefix_tokens_asked, std::memory_order_relaxed);
  prefix_tokens_found_.store(counts.prefix_tokens_found, std::memory_order_relaxed);
  const int left_queue = known_waiting_ - scheduler_.num_waiting();  // < 0 after a preemption
  known_waiting_ = scheduler_.num_waiting();
  queue_places_taken_.fetch_sub(left_queue, std::memory_order_relaxed);
}

}  // namespace aio
