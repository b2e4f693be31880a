// The options by which `aio simulate` is told of hardware, models, traffic and targets.
#ifndef AIO_APP_SIMULATE_FLAGS_H_
#define AIO_APP_SIMULATE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "sim/scenario.h"

namespace CLI {
class App;
}

namespace aio {

struct SimulateFlags {
  std::string fleet_path;
  std::string device = "ascend-910b";
  int devices = 1;
  std::string mode;  // "graph" or "eager"; empty: as the device is by default
  std::string small = "openpangu-1b";
  std::string large = "openpangu-7b";
  std::string small_weights;  // empty: f16, or as the file has them
  std::string large_weights;
  int max_running = 256;
  int prefill_chunk_tokens = 2048;
  std::string policy = "paper";
  std::optional<double> tau;
  std::string trace_path;
  double trace_from_seconds = 0;
  std::optional<double> trace_for_seconds;
  std::string seen_place;
  double rate = 0;
  std::optional<int64_t> requests;
  double seconds = 0;
  double burstiness = 1;
  std::string prompt_tokens = "500:300";
  std::string answer_tokens = "200:150";
  std::string intents;
  std::string probe = "paper";
  int probe_suffix_tokens = 1;
  std::vector<std::string> acceptance;
  std::string accuracy_path;
  SimTargets targets;
  uint64_t seed = 1;

  void AddTo(CLI::App& command);
  Result<Scenario> ToScenario() const;

 private:
  Status FillModels(SimulationSetup& setup) const;
  Status FillTraffic(Scenario& scenario) const;
  Status FillAcceptance(SimulationSetup& setup) const;
};

}  // namespace aio

#endif  // AIO_APP_SIMULATE_FLAGS_H_
