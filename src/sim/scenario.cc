#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "model/synthesize.h"
#include "sim/find_policy.h"
#include "sim/parse_number.h"

namespace aio {
namespace {

Result<double> NumberWithin(std::string_view what, const std::string& value, double min,
                            double max) {
  const std::optional<double> number = ParseNumber(value);
  if (!number || *number < min || *number > max) {
    return InvalidArgument(
        fmt::format("{} = {}: must be a number from {:g} to {:g}", what, value, min, max));
  }
  return *number;
}

Status CheckWhole(std::string_view what, double number) {
  if (number == std::floor(number)) return Status::Ok();
  return InvalidArgument(fmt::format("{} = {:g}: must be a whole number", what, number));
}

Status SetShape(const std::string& name, int number, Scenario& scenario) {
  SimulatedRole& role = scenario.setup.roles[static_cast<size_t>(number)];
  const ModelShape* shape = FindShape(name);
  if (shape == nullptr) return InvalidArgument("there is no model '" + name + "'");
  if (role.name == name) return Status::Ok();
  role.name = name;
  role.shape = *shape;
  scenario.accuracies.clear();  // were the other model's
  scenario.traffic.context_length = ContextOf(scenario.setup);
  return Status::Ok();
}

using Change = Status (*)(const std::string& value, Scenario& scenario);

struct NamedChange {
  std::string_view what;
  Change change;
};

constexpr double kRateMax = 1e7;

constexpr std::array<NamedChange, 9> kChanges = {{
    {"rate",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(scenario.traffic.rate, NumberWithin("rate", value, 1e-6, kRateMax));
       return Status::Ok();
     }},
    {"devices",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(const double devices, NumberWithin("devices", value, 1, 20'000));
       AIO_RETURN_IF_ERROR(CheckWhole("devices", devices));
       if (scenario.setup.pools.size() > 1) {
         return InvalidArgument(
             "devices: the fleet has several pools; change their devices in its file");
       }
       scenario.setup.pools.front().devices = static_cast<int>(devices);
       return Status::Ok();
     }},
    {"small", [](const std::string& value,
                 Scenario& scenario) { return SetShape(value, kSimSmall, scenario); }},
    {"large", [](const std::string& value,
                 Scenario& scenario) { return SetShape(value, kSimLarge, scenario); }},
    {"policy",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(scenario.setup.policy, FindPolicy(value));
       return Status::Ok();
     }},
    {"tau",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(const double tau, NumberWithin("tau", value, 0, kEntropyMax));
       scenario.entropy_threshold = tau;
       return Status::Ok();
     }},
    {"lambda",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(const double lambda, NumberWithin("lambda", value, 0, 1e9));
       AIO_ASSIGN_OR_RETURN(scenario.setup.policy, PolicyWithLambda(scenario.setup.policy, lambda));
       return Status::Ok();
     }},
    {"burstiness",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(scenario.traffic.burstiness,
                            NumberWithin("burstiness", value, 0.001, 1000));
       return Status::Ok();
     }},
    {"seed",
     [](const std::string& value, Scenario& scenario) {
       AIO_ASSIGN_OR_RETURN(const double seed, NumberWithin("seed", value, 0, 1e15));
       AIO_RETURN_IF_ERROR(CheckWhole("seed", seed));
       scenario.traffic.seed = scenario.setup.seed = static_cast<uint64_t>(seed);
       return Status::Ok();
     }},
}};

// Logits of which the calibration makes what they were: it takes (z - bias) / temperature.
void Uncalibrate(const ProbeCalibration& calibration, SimWorkload& workload) {
  for (size_t i = 0; i < workload.labels.size(); ++i) {
    const auto at =
        std::find(calibration.labels.begin(), calibration.labels.end(), workload.labels[i]);
    if (at == calibration.labels.end()) continue;  // Simulate() refuses it
    const double bias = calibration.bias[static_cast<size_t>(at - calibration.labels.begin())];
    for (SimRequest& request : workload.requests) {
      float& logit = request.label_logits[i];
      logit = static_cast<float>(calibration.temperature * logit + bias);
    }
  }
}

}  // namespace

int ContextOf(const SimulationSetup& setup) {
  int context = 0;
  for (const SimulatedRole& role : setup.roles) {
    if (context == 0 || role.shape.context_length < context) context = role.shape.context_length;
  }
  return context;
}

Result<ScenarioResult> RunScenario(const Scenario& scenario) {
  AIO_ASSIGN_OR_RETURN(SimWorkload workload, DrawWorkload(scenario.traffic));
  workload.entropy_threshold = scenario.entropy_threshold;
  const std::optional<ProbeCalibration>& calibration = scenario.setup.policy.settings().calibration;
  if (calibration && !workload.has_raw_logits) Uncalibrate(*calibration, workload);
  AIO_ASSIGN_OR_RETURN(SimulationResult result, Simulate(scenario.setup, workload));
  ScenarioResult figures{
      .name = scenario.name, .traffic = workload.source, .summary = {}, .timeline = {}};
  figures.summary =
      SummariseRun(scenario.setup, workload, result, scenario.targets, scenario.accuracies);
  if (scenario.timeline_points > 0) {
    figures.timeline = TimelineOf(result, scenario.timeline_points);
  }
  if (scenario.keeps_answers) figures.answers = std::move(result.answers);
  return figures;
}

std::vector<Result<ScenarioResult>> RunScenarios(const std::vector<Scenario>& scenarios,
                                                 int threads,
                                                 const std::function<void(size_t done)>& progress) {
  std::vector<Result<ScenarioResult>> results(scenarios.size(),
                                              Result<ScenarioResult>(Internal("not run")));
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  size_t done = 0;  // guarded by mutex
  const auto work = [&] {
    for (;;) {
      const size_t i = next.fetch_add(1);
      if (i >= scenarios.size()) return;
      try {
        results[i] = RunScenario(scenarios[i]);
      } catch (const std::exception& e) {  // no memory
        results[i] = ResourceExhausted(std::string("the simulation: ") + e.what());
      }
      const std::lock_guard lock(mutex);
      ++done;
      if (progress) progress(done);
    }
  };
  std::vector<std::jthread> workers;
  for (int i = 1; i < threads; ++i) {
    try {
      workers.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // the others do it all
    }
  }
  work();
  workers.clear();
  return results;
}

Status ChangeScenario(std::string_view what, const std::string& value, Scenario& scenario) {
  for (const NamedChange& known : kChanges) {
    if (known.what == what) return known.change(value, scenario);
  }
  return InvalidArgument(
      fmt::format("'{}' cannot be changed: it may be {}", what, ScenarioChanges()));
}

std::string ScenarioChanges() {
  std::string names;
  for (const NamedChange& known : kChanges) {
    if (!names.empty()) names += ", ";
    names += known.what;
  }
  return names;
}

}  // namespace aio
