// The models of simulated devices as a Backend, which the real Router is put over.
#ifndef AIO_SIM_SIMULATED_BACKEND_H_
#define AIO_SIM_SIMULATED_BACKEND_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "remote/replica_set.h"
#include "sim/event_queue.h"
#include "sim/sim_workload.h"
#include "sim/simulated_device.h"

namespace aio {

// By strategy and intent: how often each guess comes true. Of what is not in it nothing is guessed.
using AcceptanceTable = std::map<std::pair<StrategyKind, std::string>, double>;

// What a device does of a request.
enum class PoolPhase {
  kBoth,
  kPrefill,  // prompts, up to the first token
  kDecode,   // the rest, with the KV that a prefill device sends
};

// Where a model is.
struct SimulatedPlace {
  SimulatedDevice* device = nullptr;
  int model = 0;  // on that device
  PoolPhase phase = PoolPhase::kBoth;
  double link_gb_per_s = 0;  // of a prefill device, to others; > 0
};

struct SimulatedModelTarget {
  std::string name;
  std::string role;
  ModelShape shape;
  std::vector<SimulatedPlace> places;  // not empty; with prefill devices decoding ones too
  AcceptanceTable acceptance = {};
};

// Requests go to replicas by the same ReplicaSet as over a network. One whose device is lost before
// its first token begins again elsewhere, as often as a remote backend tries; after it, it has
// failed. Not thread-safe: all is one thread's, that of the events. Devices, events and workload
// outlive it.
class SimulatedBackend final : public Backend, private Actor {
 public:
  SimulatedBackend(std::vector<SimulatedModelTarget> targets, const SimWorkload& workload,
                   EventQueue& events, uint64_t seed);
  ~SimulatedBackend() override;

  // These sequences are no more: their device has failed.
  void OnLost(const std::vector<uint64_t>& sequences);
  // A health check finds `device` as it is.
  void OnHealthCheck(const SimulatedDevice& device);

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
  enum class Stage;
  struct Target;
  struct Work;
  class Watcher;

  Result<Target*> FindTarget(std::string_view model);
  const SimRequest& Asked(const Work& work) const;
  GuessChances GuessesFor(const Work& work);
  SequenceSetup SetupOf(const Work& work) const;
  std::unique_ptr<ReplicaLease> Choose(Work& work);
  // Gives the work to a device that is up.
  Status Place(Work work);
  void PlaceAgain(Work work);
  void Transfer(Work work, size_t from, TimePoint now);  // from that place
  void FinishGeneration(const Work& work, TimePoint now);
  void OnEvent(int64_t what) override;  // KV has come over

  const SimWorkload& workload_;
  EventQueue& events_;
  SimRandom random_;
  uint64_t started_ = 0;
  std::vector<std::unique_ptr<Target>> targets_;
  std::unique_ptr<Watcher> watcher_;
  std::unordered_map<uint64_t, Work> running_;      // by sequence
  std::unordered_map<int64_t, Work> transferring_;  // by event
  int64_t transfers_ = 0;
};

}  // namespace aio

#endif  // AIO_SIM_SIMULATED_BACKEND_H_
