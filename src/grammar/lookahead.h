// Which bytes may come next, at the nodes and after the rules of a grammar. Internal to grammar/.
#ifndef AIO_GRAMMAR_LOOKAHEAD_H_
#define AIO_GRAMMAR_LOOKAHEAD_H_

#include "base/status.h"
#include "grammar/grammar.h"

namespace aio {

// The textbook's FIRST and FOLLOW.
class Lookahead {
 public:
  explicit Lookahead(Grammar& grammar) : grammar_(grammar) {}

  // Sets Node::first and Rule::follow. kInvalidArgument where a rule calls itself before it reads.
  Status Find();

 private:
  Status FindFirst();
  void SetFirst(Grammar::Node& node);
  void FindFollow();

  Grammar& grammar_;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_LOOKAHEAD_H_
