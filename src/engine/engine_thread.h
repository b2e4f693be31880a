// The one thread that runs the steps of all models, never two at once: decoding is bound
// by memory bandwidth, and two steps against each other only wait for it.
#ifndef AIO_ENGINE_ENGINE_THREAD_H_
#define AIO_ENGINE_ENGINE_THREAD_H_

#include <memory>
#include <thread>
#include <vector>

#include "engine/fair_share.h"
#include "engine/inbox.h"
#include "engine/model_runner.h"

namespace aio {

// Thread-safe. Models with work take turns by FairShare.
class EngineThread {
 public:
  // Starts.
  explicit EngineThread(std::vector<std::unique_ptr<ModelRunner>> runners);
  ~EngineThread() { Stop(); }
  // Ends what runs (kCancelled) and what waits (kUnavailable), then joins. Idempotent; not
  // from the engine thread itself.
  void Stop();

  int num_models() const { return static_cast<int>(runners_.size()); }
  ModelRunner& runner(int model) { return *runners_[model]; }
  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }

 private:
  void Run();
  void Apply(Command& command);
  void StepNext();
  bool HasWork() const;

  const std::vector<std::unique_ptr<ModelRunner>> runners_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  // Only the engine thread's:
  FairShare share_;
  std::vector<bool> has_work_;  // [models], for one step

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace aio

#endif  // AIO_ENGINE_ENGINE_THREAD_H_
