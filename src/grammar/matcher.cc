#include "grammar/matcher.h"

#include <algorithm>
#include <utility>

namespace aio {

Matcher::Matcher(std::shared_ptr<const Grammar> grammar, Bottom bottom)
    : grammar_(std::move(grammar)), bottom_(bottom), buckets_(64, -1) {}

MatchState Matcher::Start() {
  MatchState state;
  Begin(state);
  Add({grammar_->rule(grammar_->root()).start, 0, kBottom}, state);
  return state;
}

void Matcher::Begin(MatchState& next) {
  next.clear();
  visits_ = 0;
  overflowed_ = false;
  reached_floor_ = false;
}

void Matcher::AfterEnd(const MatchThread& thread, MatchState& next) {
  Begin(next);
  if (thread.parent == kBottom) {
    AddEnd(thread, next);
  } else {
    Add(Frame(thread.parent), next);
  }
}

void Matcher::Advance(const MatchState& state, uint8_t byte, MatchState& next) {
  Begin(next);
  for (const MatchThread& thread : state) {
    if (thread.node != kEnd) Visit(thread, byte, next);
  }
  if (overflowed_) next.clear();
}

bool Matcher::AdvanceWithin(const MatchThread& begin, const MatchState& state, uint8_t byte,
                            MatchState& next) {
  floor_ = begin.parent;
  Advance(state, byte, next);
  floor_ = kNoFloor;
  return reached_floor_ && !overflowed_;
}

bool Matcher::Accepts(const MatchState& state) {
  return std::any_of(state.begin(), state.end(),
                     [](const MatchThread& thread) { return thread.node == kEnd; });
}

bool Matcher::IsOver(const MatchState& state) {
  return std::all_of(state.begin(), state.end(),
                     [](const MatchThread& thread) { return thread.node == kEnd; });
}

void Matcher::Visit(const MatchThread& thread, uint8_t byte, MatchState& next) {
  const Grammar::Node& node = grammar_->node(thread.node);
  if (!node.first.test(byte)) return;
  if (!MayVisit(next)) return;
  for (const Grammar::ByteEdge& edge : grammar_->bytes(node)) {
    if (byte > edge.last) continue;
    if (byte >= edge.first) Add({edge.target, thread.count, thread.parent}, next);
    break;
  }
  for (const Grammar::CallEdge& call : grammar_->calls(node)) {
    const int32_t start = grammar_->rule(call.rule).start;
    if (!grammar_->node(start).first.test(byte)) continue;
    Visit({start, 0, Push(thread, call.target)}, byte, next);
  }
}

// The first thread is looked for until it is found, which takes no longer than the stack is deep:
// every call that may read the byte leads to a thread, and so does every rule's end.
bool Matcher::MayVisit(const MatchState& next) {
  ++effort_;
  if (++visits_ > kVisitsMax) was_cut_ = true;
  const bool has_found = !next.empty() || reached_floor_;
  return (visits_ <= kVisitsMax || !has_found) && !overflowed_;
}

// And what follows where the rule ends there, its callers' ends too.
void Matcher::Add(MatchThread thread, MatchState& next) {
  while (MayVisit(next)) {
    const Grammar::Node& node = grammar_->node(thread.node);
    const bool is_full = node.is_between && KnowsCount(thread.parent) &&
                         thread.count >= grammar_->rule(node.rule).max;
    if (node.has_edges() && !is_full) {
      if (std::find(next.begin(), next.end(), thread) != next.end()) return;
      if (next.size() >= kThreadsMax) {
        was_cut_ = true;
        return;
      }
      next.push_back(thread);
    }
    if (node.completes) {
      thread = {grammar_->rule(node.rule).start, NextCount(thread), thread.parent};
      continue;
    }
    if (!IsFinal(thread)) return;
    if (thread.parent == floor_) {
      reached_floor_ = true;
      return;
    }
    if (thread.parent == kBottom) return AddEnd(thread, next);
    thread = Frame(thread.parent);
  }
}

void Matcher::AddEnd(const MatchThread& thread, MatchState& next) {
  const MatchThread end{kEnd, KnowsCount(kBottom) ? 0 : thread.count, kBottom};
  if (std::find(next.begin(), next.end(), end) == next.end()) next.push_back(end);
}

bool Matcher::IsFinal(const MatchThread& thread) const {
  const Grammar::Node& node = grammar_->node(thread.node);
  if (!node.is_between) return node.is_final;
  return !KnowsCount(thread.parent) || thread.count >= grammar_->rule(node.rule).min;
}

// Where any number is allowed, counting ends at the minimum, so that states repeat.
int32_t Matcher::NextCount(const MatchThread& thread) const {
  const Grammar::Rule& rule = grammar_->rule_of(thread.node);
  const bool is_enough = rule.max == Grammar::kNoMax && thread.count >= rule.min;
  if (is_enough && KnowsCount(thread.parent)) return thread.count;
  return thread.count + 1;
}

// A caller that has nothing left to do but to end is passed over, so that recursion at the end of
// a rule takes no memory.
int32_t Matcher::Push(const MatchThread& caller, int32_t target) {
  const Grammar::Node& node = grammar_->node(target);
  if (node.is_final && !node.has_edges() && KnowsCount(caller.parent)) return caller.parent;
  effort_ += kFrameEffort;
  if (frames_.size() >= kFramesMax) overflowed_ = true;
  if (overflowed_) return kBottom;
  const MatchThread frame{target, caller.count, caller.parent};
  const size_t bucket = BucketOf(frame);
  for (int32_t id = buckets_[bucket]; id >= 0; id = frames_[id].next) {
    if (Frame(id) == frame) return id;
  }
  frames_.push_back({frame.node, frame.count, frame.parent, buckets_[bucket]});
  buckets_[bucket] = static_cast<int32_t>(frames_.size()) - 1;
  if (frames_.size() > buckets_.size()) Rehash();
  return static_cast<int32_t>(frames_.size()) - 1;
}

size_t Matcher::BucketOf(const MatchThread& frame) const {
  uint64_t hash = static_cast<uint32_t>(frame.node);
  hash = (hash ^ static_cast<uint32_t>(frame.count) * 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
  hash = (hash ^ static_cast<uint32_t>(frame.parent)) * 0x94D049BB133111EBu;
  return (hash >> 32) & (buckets_.size() - 1);
}

void Matcher::Rehash() {
  buckets_.assign(2 * buckets_.size(), -1);
  for (size_t id = 0; id < frames_.size(); ++id) {
    const size_t bucket = BucketOf(Frame(static_cast<int32_t>(id)));
    frames_[id].next = buckets_[bucket];
    buckets_[bucket] = static_cast<int32_t>(id);
  }
}

// The newest frame is always the first of its bucket.
void Matcher::Rewind(size_t mark) {
  while (frames_.size() > mark) {
    buckets_[BucketOf(Frame(static_cast<int32_t>(frames_.size()) - 1))] = frames_.back().next;
    frames_.pop_back();
  }
}

}  // namespace aio
