// A device with the models that are resident on it, which take turns as the engine's do.
#ifndef AIO_SIM_SIMULATED_DEVICE_H_
#define AIO_SIM_SIMULATED_DEVICE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "engine/fair_share.h"
#include "sim/event_queue.h"
#include "sim/graph_cache.h"
#include "sim/simulated_model.h"

namespace aio {

// Not thread-safe.
class SimulatedDevice final : public Actor {
 public:
  // kInvalidArgument if the weights and KV of `models` do not fit into its memory: the message says
  // of which, and what would. `profile` and `events` outlive it.
  static Result<std::unique_ptr<SimulatedDevice>> Create(
      const DeviceProfile& profile, const std::vector<SimulatedModelOptions>& models,
      EventQueue& events);

  SimulatedModel& model(int i) { return *models_[static_cast<size_t>(i)]; }
  int num_models() const { return static_cast<int>(models_.size()); }
  // It must be up. `with_kv`: SimulatedModel::AddWithKv().
  void Add(int model, std::unique_ptr<SimulatedSequence> sequence, bool with_kv = false);
  // The sequences that it had are lost: their ids, by model.
  std::vector<uint64_t> Fail();
  void Recover() { is_up_ = true; }
  bool is_up() const { return is_up_; }
  void OnEvent(int64_t what) override;  // the step has ended that was begun as the `what`th

  double busy_ms() const { return busy_ms_; }
  double switching_ms() const { return switching_ms_; }  // of these, between models

 private:
  SimulatedDevice(const DeviceProfile& profile, const std::vector<SimulatedModelOptions>& models,
                  EventQueue& events);
  void BeginNext();

  const DeviceProfile& profile_;
  EventQueue& events_;
  GraphCache graphs_;
  std::vector<std::unique_ptr<SimulatedModel>> models_;
  FairShare share_;
  std::vector<bool> has_work_;  // [models], for one step
  bool is_up_ = true;
  int64_t steps_ = 0;
  int running_ = -1;  // whose step runs; -1: none
  int last_ = -1;     // whose step was the last
  double busy_ms_ = 0;
  double switching_ms_ = 0;
};

}  // namespace aio

#endif  // AIO_SIM_SIMULATED_DEVICE_H_
