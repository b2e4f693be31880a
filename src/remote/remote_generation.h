// One request on its way to one replica, and to others where that fails. Internal to remote/.
#ifndef AIO_REMOTE_REMOTE_GENERATION_H_
#define AIO_REMOTE_REMOTE_GENERATION_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "remote/remote_model.h"

namespace aio {

// All that a generation needs, whichever replica serves it.
struct RemoteWork {
  std::string_view path;
  std::shared_ptr<const std::string> body;  // null once no replica will be asked any more
  std::string strategy;                     // that replicas were started with; empty: any
  bool only_plain = false;                  // as ReplicaQuery has it
  std::string intent;                       // for the governor
  uint64_t affinity = 0;
  int64_t prompt_tokens = 0;  // as estimated
  int64_t answer_tokens = 0;  // likewise
  size_t prompt_bytes = 0;
  std::string url_with_prompt;  // empty: nowhere
  TimePoint deadline = kNoDeadline;
  Duration whole_timeout = Duration::max();  // of a probe, which must not keep its request waiting
  bool whole = false;                        // the answer may come all at once
};

// What a probe or an answer leaves: the replica whose prefix cache has the prompt.
class RemoteHeldPrompt final : public HeldPrompt {
 public:
  RemoteHeldPrompt(std::weak_ptr<RemoteModel> model, std::string url)
      : model_(std::move(model)), url_(std::move(url)) {}
  // Empty if it is another model's.
  std::string UrlOf(const std::shared_ptr<RemoteModel>& model) const {
    return model_.lock() == model ? url_ : "";
  }

 private:
  const std::weak_ptr<RemoteModel> model_;
  const std::string url_;
};

// For the transport's thread alone, but for Cancel().
//
// Until the first event has gone to the sink, a failure is tried again: at another replica if there
// is one, within RemoteOptions::retries_max, the model's retry budget and the deadline. Afterwards
// it is the end of the answer: the sink is told, and nothing is sent twice. Events of a whole
// answer go to the sink when it has ended.
class RemoteGeneration final : public Ticket,
                               public std::enable_shared_from_this<RemoteGeneration> {
 public:
  RemoteGeneration(std::shared_ptr<RemoteModel> model, RemoteWork work,
                   std::shared_ptr<EventSink> sink);
  ~RemoteGeneration() override;

  void Cancel() override;                // from any thread, as the next
  void SetPaused(bool paused) override;  // once it has begun, the engine's writes come to a stop

  void Begin();
  // Looks at what has taken too long.
  void Sweep(TimePoint now);
  // Ends it, if it has not ended.
  void Fail(const Status& status);

 private:
  class Attempt;
  struct Suspect {
    std::unique_ptr<ReplicaLease> lease;
    std::string why;
  };

  void Try();
  void Start(const std::shared_ptr<Attempt>& attempt);
  void Forget(const Attempt* attempt);
  void TryAgain(Attempt& failed, const Status& why);
  void TryLater(Duration delay);
  Duration RetryDelay(const Attempt& failed);
  Duration ByChance(Duration most);
  // Of attempts:
  void OnStart(Attempt& attempt, StartEvent event);
  void Win(Attempt& attempt, StartEvent event);
  void OnToken(Attempt& attempt, const TokenEvent& event);
  void OnFinish(Attempt& attempt, FinishEvent event);
  void OnError(Attempt& attempt, const Status& status);
  void OnAway(Attempt& attempt);
  void Charge(Attempt& attempt, const std::string& why);

  void OnCancelled();
  // The last thing: the sink has had its last event.
  void End();

  const std::shared_ptr<RemoteModel> model_;
  RemoteWork work_;
  std::shared_ptr<EventSink> sink_;                 // null: it has ended
  std::vector<std::shared_ptr<Attempt>> attempts_;  // that run
  std::shared_ptr<Attempt> winner_;                 // whose events are the sink's
  std::vector<std::string> tried_urls_;
  // By KeyOf(): replicas that said of themselves that they failed. If another can answer, it was
  // their fault; else it may be the request's.
  std::map<std::string, Suspect> suspects_;
  TimePoint begun_{};
  TimePoint hedge_at_ = kNoDeadline;
  int attempts_made_ = 0;
  bool paused_ = false;
  bool was_paused_ = false;
};

}  // namespace aio

#endif  // AIO_REMOTE_REMOTE_GENERATION_H_
