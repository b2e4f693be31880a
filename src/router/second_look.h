// The second look: what a prompt must stand before the small model gets it. The first look asks
// what the whole prompt is about; whoever wants a wrong answer to that adds to the prompt. The
// second asks again in ways that an addition cannot serve all at once.
#ifndef AIO_ROUTER_SECOND_LOOK_H_
#define AIO_ROUTER_SECOND_LOOK_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "router/intent_distribution.h"

namespace aio {

// What is looked at again; nothing by default.
struct ProbeDefences {
  // The text's form (text_doubts.h). Costs microseconds.
  bool form = false;
  // The parts of the last turn (prompt_parts.h), each by itself: at most another prompt's worth of
  // tokens or two, little for a prompt that is one program.
  bool parts = false;
  // The whole prompt in another template with the same labels' names: a pass over the template
  // where the backend keeps the prompt's KV.
  std::optional<LabelQuery> second_template;

  bool any() const { return form || parts || second_template.has_value(); }

  friend bool operator==(const ProbeDefences&, const ProbeDefences&) = default;
};

struct SecondLookResult {
  std::vector<std::string> doubts;  // in ASCII, in a fixed order; empty: the first look holds
  Traffic traffic;
};

// One request's second look. Its ticket.
class SecondLook final : public Ticket, public std::enable_shared_from_this<SecondLook> {
 public:
  // Called once, from the backend's thread or from inside Start(). A fault is that of a request
  // that was cancelled or is too late; any other is a doubt.
  using Callback = std::function<void(Result<SecondLookResult>)>;

  // `backend` outlives the callback.
  //   labels  the first look's template and labels
  //   label   what the first look said: the name that every other look must give
  SecondLook(Backend& backend, const LabelQuery& labels, const ProbeDefences& defences,
             std::string label, Callback done);

  // Once. At most kPartsMax looks; a prompt with more parts is doubted as it is.
  void Start(const Request& request);
  void Cancel() override;

  static constexpr size_t kPartsMax = 32;

 private:
  struct Look {
    Request request;
    LabelQuery query;
    std::string what;  // "prose", "second template"
  };

  std::vector<Look> Looks(const Request& request);
  void Ask(const std::vector<Look>& looks);
  void OnScores(size_t i, const std::string& what, const Result<LabelScores>& scores);
  void EndOne();

  Backend& backend_;
  const LabelQuery labels_;
  const ProbeDefences defences_;
  const std::string label_;
  Callback done_;
  std::vector<std::string> own_doubts_;  // those that need no model

  std::mutex mutex_;
  // Guarded by mutex_:
  bool cancelled_ = false;
  size_t waiting_ = 0;               // looks that have not ended
  std::vector<std::string> doubts_;  // [looks]; empty: none
  Status fault_;
  Traffic traffic_;
  std::vector<std::shared_ptr<Ticket>> tickets_;
};

}  // namespace aio

#endif  // AIO_ROUTER_SECOND_LOOK_H_
