// The models of simulated devices as a Backend, which the real Router is put over.
#ifndef AIO_SIM_SIMULATED_BACKEND_H_
#define AIO_SIM_SIMULATED_BACKEND_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/backend.h"
#include "remote/replica_set.h"
#include "sim/event_queue.h"
#include "sim/simulated_device.h"
#include "sim/workload.h"

namespace aio {

// By strategy and intent: how often each guess comes true. 0: it is not known to guess.
using AcceptanceTable = std::map<std::pair<StrategyKind, std::string>, double>;

struct SimulatedModelTarget {
  std::string name;
  std::string role;
  ModelShape shape;
  int model = 0;                          // which of its devices' models
  std::vector<SimulatedDevice*> devices;  // that hold it; not empty
  AcceptanceTable acceptance = {};
};

// Not thread-safe: all is one thread's, that of the events. Devices, events and workload outlive
// it.
class SimulatedBackend final : public Backend {
 public:
  SimulatedBackend(std::vector<SimulatedModelTarget> targets, const Workload& workload,
                   EventQueue& events, uint64_t seed);
  ~SimulatedBackend() override;

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  struct Target;
  struct Work;
  class Watcher;

  Result<Target*> FindTarget(std::string_view model);
  Status Start(Target& target, SequenceSetup setup, GuessChances guesses, Work work);

  const Workload& workload_;
  EventQueue& events_;
  uint64_t random_;
  uint64_t started_ = 0;
  std::vector<std::unique_ptr<Target>> targets_;
  std::unique_ptr<Watcher> watcher_;
  std::unordered_map<uint64_t, Work> running_;  // by sequence
};

}  // namespace aio

#endif  // AIO_SIM_SIMULATED_BACKEND_H_
