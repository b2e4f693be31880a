// Matches bytes against a grammar, by all ways at once.
//
// A state is a set of threads; a thread stands at a node of a rule's automaton and knows the stack
// of callers that wait for the rule's end. Stacks are linked frames that are never written again,
// and equal ones are the same frame, so that threads share them and states are small values.
// Where a rule may end, its caller's thread belongs to the state too, so every thread but the one
// at the end of the text has a byte to read.
#ifndef AIO_GRAMMAR_MATCHER_H_
#define AIO_GRAMMAR_MATCHER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "grammar/grammar.h"

namespace aio {

struct MatchThread {
  int32_t node = 0;
  int32_t count = 0;   // complete items, of a counted rule; else 0
  int32_t parent = 0;  // frame

  friend bool operator==(const MatchThread&, const MatchThread&) = default;
};

using MatchState = std::vector<MatchThread>;  // distinct, in an order that the past decides

// Not thread-safe; states belong to the matcher that made them.
class Matcher {
 public:
  static constexpr int32_t kBottom = -1;  // the parent of the root's threads
  static constexpr int32_t kEnd = -1;     // the node of the thread that has left the root

  // What bounds the time of a byte and the memory of a text, for grammars that are ambiguous
  // without bound. Threads beyond are left out: what is matched is still right, but some texts no
  // longer are. One thread is always found where a thread may read the byte, however far. A byte
  // for which there is no room in the stacks is refused.
  static constexpr size_t kThreadsMax = 128;
  static constexpr int kVisitsMax = 4096;  // nodes a byte looks at
  static constexpr size_t kFramesMax = 1 << 20;

  // How a rule ends whose parent is kBottom. kText: the text is complete. kAnyCaller: the rule is
  // seen for itself, its caller and how many items it has had are not known; then kEnd threads
  // carry the items completed since, and no count keeps an item from beginning.
  enum class Bottom { kText, kAnyCaller };

  explicit Matcher(std::shared_ptr<const Grammar> grammar, Bottom bottom = Bottom::kText);

  const Grammar& grammar() const { return *grammar_; }

  // At the beginning of the root.
  MatchState Start();
  // The thread alone; for Bottom::kAnyCaller.
  MatchState StartAt(int32_t node) const { return {{node, 0, kBottom}}; }
  // What follows once the rule of `thread` has ended.
  void AfterEnd(const MatchThread& thread, MatchState& next);

  // `next`, another object than `state`, becomes what follows; empty: `byte` does not.
  void Advance(const MatchState& state, uint8_t byte, MatchState& next);

  // The same for a thread's rule alone, of which `state` is what it has become: where the rule
  // ends, what its caller goes on with is left out. True: it ends after this byte.
  bool AdvanceWithin(const MatchThread& begin, const MatchState& state, uint8_t byte,
                     MatchState& next);

  // Since the last call, threads were left out.
  bool TakeWasCut() { return std::exchange(was_cut_, false); }

  // What all calls have taken: nodes looked at, and more for frames. By the states and bytes alone,
  // not by what else the matcher has been asked, so that what is bounded by it is always the same.
  int64_t effort() const { return effort_; }

  // What was read is a whole text.
  static bool Accepts(const MatchState& state);
  // And nothing can follow.
  static bool IsOver(const MatchState& state);

  // The frame's own thread: where it goes on.
  MatchThread Frame(int32_t frame) const {
    const StackFrame& f = frames_[frame];
    return {f.node, f.count, f.parent};
  }

  // Frames made since Mark() are forgotten by Rewind(); states must not have them any more.
  size_t Mark() const { return frames_.size(); }
  void Rewind(size_t mark);

 private:
  struct StackFrame {
    int32_t node;
    int32_t count;
    int32_t parent;
    int32_t next;  // in its bucket; < 0: none
  };

  bool KnowsCount(int32_t parent) const { return bottom_ == Bottom::kText || parent != kBottom; }
  static constexpr int32_t kNoFloor = -2;
  static constexpr int kFrameEffort = 4;

  void Begin(MatchState& next);
  bool MayVisit(const MatchState& next);
  void Visit(const MatchThread& thread, uint8_t byte, MatchState& next);
  void Add(MatchThread thread, MatchState& next);
  void AddEnd(const MatchThread& thread, MatchState& next);
  bool IsFinal(const MatchThread& thread) const;
  int32_t NextCount(const MatchThread& thread) const;
  int32_t Push(const MatchThread& caller, int32_t target);
  size_t BucketOf(const MatchThread& frame) const;
  void Rehash();

  const std::shared_ptr<const Grammar> grammar_;
  const Bottom bottom_;
  std::vector<StackFrame> frames_;
  std::vector<int32_t> buckets_;  // the newest frame of each; a power of two
  int64_t effort_ = 0;
  int32_t floor_ = kNoFloor;    // rules whose parent it is are not followed to their callers
  bool reached_floor_ = false;  // in this call
  int visits_ = 0;
  bool was_cut_ = false;
  bool overflowed_ = false;  // the stacks, in this call
};

}  // namespace aio

#endif  // AIO_GRAMMAR_MATCHER_H_
