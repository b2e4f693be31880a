#include "sim/simulated_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/sim_time.h"

namespace aio {
namespace {

// What guesses are does not matter here, only how many there are.
constexpr std::array<int32_t, kSpeculativeTokensMax> kAnyGuesses = {};

const GuessChances& GuessesOf(const Sequence& sequence) {
  return static_cast<const SimulatedSequence&>(sequence).guesses();
}

}  // namespace

SimulatedModel::SimulatedModel(const SimulatedModelOptions& options, const DeviceProfile& device,
                               GraphCache& graphs)
    : options_(options),
      device_(device),
      graphs_(graphs),
      blocks_(options.kv_blocks),
      prefixes_(blocks_),
      scheduler_(options.scheduler, blocks_, prefixes_, this),
      pacer_(options.prefill_step_max) {
  // What an engine has learnt after its first prompts; a device of a large fleet sees few.
  const int chunk = options.scheduler.prefill_chunk_tokens;
  const StepWork work = {.rows = chunk, .logit_rows = 1, .weights = options.model.weights};
  pacer_.Observe(chunk, SimSeconds(TimeOf(work, options.model.costs, device).total_ms / 1000));
}

double SimulatedModel::OneTokenMs() const {
  const StepWork work = {
      .rows = 1, .logit_rows = 1, .weights = options_.model.weights, .graph = options_.graph};
  return TimeOf(work, options_.model.costs, device_).total_ms;
}

bool SimulatedModel::Fits(int positions) const {
  return BlockPool::BlocksFor(positions) <= blocks_.num_blocks();
}

void SimulatedModel::Add(std::unique_ptr<SimulatedSequence> sequence) {
  scheduler_.Add(std::move(sequence));
}

void SimulatedModel::AddWithKv(std::unique_ptr<SimulatedSequence> sequence) {
  // The last token is computed here, for its logits.
  const auto known = sequence->tokens().first(static_cast<size_t>(sequence->num_tokens() - 1));
  const int blocks = BlockPool::BlocksFor(static_cast<int>(known.size()));
  BlockTable arrived;
  if (blocks > 0 && prefixes_.MakeRoom(blocks) && arrived.Grow(blocks_, blocks)) {
    prefixes_.Insert(sequence->cache_salt(), known, arrived);
  }
  Add(std::move(sequence));
}

std::vector<uint64_t> SimulatedModel::Lose() {
  std::vector<uint64_t> ids;
  for (const auto& sequence : scheduler_.TakeAll()) {
    ids.push_back(sequence->id());
    sequence->ReleaseBlocks(prefixes_);
  }
  prefixes_.MakeRoom(blocks_.num_blocks());  // forgets all
  plan_.Clear();
  return ids;
}

// As many guesses for each of those that leave it open as give the most tokens for the time.
int SimulatedModel::AutoGuesses(std::span<Sequence* const> decoding) const {
  StepWork work = {.rows = static_cast<int>(decoding.size()),
                   .weights = options_.model.weights,
                   .graph = options_.graph};
  int open = 0;
  int guesses_max = 0;
  for (const Sequence* sequence : decoding) {
    work.context_tokens += sequence->num_tokens();
    if (GuessesOf(*sequence).kind() != StrategyKind::kAuto) continue;
    ++open;
    guesses_max = std::max(guesses_max, GuessesOf(*sequence).per_step());
  }
  if (open == 0) return 0;
  int best = 0;
  double best_rate = 0;
  for (int guesses = 0; guesses <= guesses_max; ++guesses) {
    double tokens = 0;
    for (const Sequence* sequence : decoding) {
      const bool is_open = GuessesOf(*sequence).kind() == StrategyKind::kAuto;
      tokens += is_open ? GuessesOf(*sequence).Expected(guesses) : 1;
    }
    StepWork with = work;
    with.logit_rows = with.rows += guesses * open;
    const double rate = tokens / TimeOf(with, options_.model.costs, device_).total_ms;
    if (rate > best_rate) {
      best_rate = rate;
      best = guesses;
    }
  }
  return best;
}

void SimulatedModel::PlanDrafts(std::span<Sequence* const> decoding, int /*prefill_tokens*/,
                                int count_max) {
  const int auto_guesses = AutoGuesses(decoding);
  for (Sequence* sequence : decoding) {
    const GuessChances& guesses = GuessesOf(*sequence);
    const bool nobody_drafts =
        guesses.kind() == StrategyKind::kDraftModel && !options_.drafter.has_value();
    const int wanted = nobody_drafts                           ? 0
                       : guesses.kind() == StrategyKind::kAuto ? auto_guesses
                                                               : guesses.per_step();
    const int count = std::min({wanted, sequence->draft_room(), count_max, kSpeculativeTokensMax});
    if (count <= 0) continue;
    sequence->SetDraft(std::span(kAnyGuesses).first(static_cast<size_t>(count)));
    count_max -= count;
  }
}

StepWork SimulatedModel::WorkOf(const StepPlan& plan) const {
  StepWork work = {
      .rows = plan.num_rows, .weights = options_.model.weights, .graph = options_.graph};
  for (const PlannedRows& rows : plan.rows) {
    work.context_tokens += rows.end();
    work.logit_rows += rows.num_logit_rows();
    work.scored_pairs += int64_t{rows.count} * (rows.begin + rows.end() + 1) / 2;
  }
  // Prompts have as many rows as they like: they are launched kernel by kernel.
  if (plan.num_prefill_tokens > 0) work.graph = false;
  return work;
}

double SimulatedModel::RecordMs(const ModelOnDevice& model, const StepWork& work) {
  if (!work.graph || !HasGraphFor(work.rows, device_.graphs)) return 0;
  if (graphs_.Use(model.number, PaddedRows(work.rows, device_.graphs))) return 0;
  return device_.graphs.record_ms_per_layer.value * model.costs.num_layers;
}

// The drafter guesses for all sequences together, a guess a step of its own, between two changes of
// the model.
double SimulatedModel::DraftMs(const StepPlan& plan, bool graph) {
  if (!options_.drafter) return 0;
  const ModelOnDevice& drafter = *options_.drafter;
  StepWork work = {.rows = 0, .weights = drafter.weights, .graph = graph};
  int guesses = 0;
  for (const PlannedRows& rows : plan.rows) {
    if (GuessesOf(*rows.sequence).kind() != StrategyKind::kDraftModel) continue;
    const int count = static_cast<int>(rows.sequence->draft().size());
    if (count == 0) continue;
    ++work.rows;
    work.context_tokens += rows.end();
    guesses = std::max(guesses, count);
  }
  if (guesses == 0) return 0;
  work.scored_pairs = work.context_tokens;
  work.logit_rows = work.rows;
  const StepTime time = TimeOf(work, drafter.costs, device_);
  counts_.weight_bytes += guesses * time.weight_bytes;
  counts_.kv_bytes += guesses * time.kv_bytes;
  const double record_ms = RecordMs(drafter, work);
  counts_.record_ms += record_ms;
  return guesses * time.total_ms + record_ms + 2 * device_.model_switch_us.value / 1000;
}

Duration SimulatedModel::Begin(TimePoint now, bool others_wait) {
  const bool is_paced = others_wait || scheduler_.is_decoding();
  scheduler_.Plan(now, is_paced ? pacer_.Tokens() : options_.scheduler.prefill_chunk_tokens, plan_);
  charged_bytes_ = 0;
  if (plan_.rows.empty()) return Duration::zero();
  const int64_t moved_before = counts_.weight_bytes + counts_.kv_bytes;
  const StepWork work = WorkOf(plan_);
  const StepTime time = TimeOf(work, options_.model.costs, device_);
  const double draft_ms = DraftMs(plan_, options_.graph);
  const double record_ms = RecordMs(options_.model, work);
  const double step_ms = time.total_ms + draft_ms + record_ms;
  const auto rows_per_read = static_cast<int>(device_.rows_per_read.value);
  charged_bytes_ =
      rows_per_read > 0
          ? counts_.weight_bytes + counts_.kv_bytes - moved_before +  // the drafter's
                ChargedBytes(plan_.num_rows, rows_per_read, time.weight_bytes, time.kv_bytes)
          : static_cast<int64_t>(step_ms * device_.ReadBytesPerMs());
  ++counts_.steps;
  counts_.rows += plan_.num_rows;
  counts_.prefill_tokens += plan_.num_prefill_tokens;
  counts_.weight_bytes += time.weight_bytes;
  counts_.kv_bytes += time.kv_bytes;
  counts_.step_ms += step_ms;
  counts_.record_ms += record_ms;
  counts_.draft_ms += draft_ms;
  step_ = std::max(Duration(1), SimSeconds(step_ms / 1000));
  return step_;
}

void SimulatedModel::End(TimePoint now) {
  for (const PlannedRows& rows : plan_.rows) {
    Sequence& sequence = *rows.sequence;
    const int before = sequence.num_tokens();
    sequence.CompleteRows(rows.count, {.count = rows.num_logit_rows()}, sampler_, now);
    counts_.answer_tokens += sequence.num_tokens() - before;
    const int prompt = sequence.num_prompt_tokens();
    if (rows.begin < prompt && rows.end() >= prompt) sequence.ShareBlocks(prefixes_);
  }
  pacer_.Observe(plan_.num_prefill_tokens, step_);
  for (const auto& sequence : scheduler_.TakeFinished()) sequence->ReleaseBlocks(prefixes_);
}

}  // namespace aio
