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
#include "sim/parse_number.h"

namespace aio {
namespace {

struct BuiltInPolicy {
  std::string_view name;
  std::string_view toml;
};

constexpr std::array<BuiltInPolicy, 3> kBuiltIn = {{
    {"static-small", "version = 1\nname = \"static-small\"\nkind = \"static-small\"\n"},
    {"static-large", "version = 1\nname = \"static-large\"\nkind = \"static-large\"\n"},
    {"random", "version = 1\nname = \"random\"\nkind = \"random\"\n[random]\np_small = 0.5\n"},
}};

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

Result<RoutingPolicy> FindPolicy(const std::string& name_or_path) {
  if (name_or_path == "paper") return RoutingPolicy::Paper();
  for (const BuiltInPolicy& policy : kBuiltIn) {
    if (policy.name == name_or_path) {
      return RoutingPolicy::FromToml(policy.toml, std::string(policy.name));
    }
  }
  if (name_or_path.find_first_of("./") == std::string::npos) {
    return NotFound("there is no policy '" + name_or_path +
                    "': there are paper, static-small, static-large and random, or name a file");
  }
  return RoutingPolicy::FromFile(name_or_path);
}

Result<RoutingPolicy> PolicyWithLambda(const RoutingPolicy& policy, double lambda) {
  if (policy.settings().kind != PolicyKind::kUtility) {
    return InvalidArgument("policy '" + policy.name() +
                           "' has no lambda: only those of the kind utility have one");
  }
  // The line of [utility] that says it, or a new one at the head of that table.
  const std::string line = fmt::format("lambda = {}", lambda);
  std::string text;
  bool inside = false;
  bool is_written = false;
  size_t begin = 0;
  const std::string& old = policy.text();
  while (begin < old.size()) {
    const size_t end = std::min(old.find('\n', begin), old.size());
    const std::string_view read = std::string_view(old).substr(begin, end - begin);
    begin = end + 1;
    const size_t first = std::min(read.find_first_not_of(" \t"), read.size());
    const std::string_view content = read.substr(first);
    if (content.starts_with('[')) inside = content.starts_with("[utility]");
    const bool says_it =
        inside && (content.starts_with("lambda ") || content.starts_with("lambda="));
    if (says_it) continue;
    text += fmt::format("{}\n", read);
    if (inside && !is_written && content.starts_with('[')) {
      text += line + "\n";
      is_written = true;
    }
  }
  if (!is_written) text += "\n[utility]\n" + line + "\n";
  AIO_ASSIGN_OR_RETURN(RoutingPolicy changed, RoutingPolicy::FromToml(text, policy.name()));
  if (changed.settings().utility.lambda != lambda) {
    return InvalidArgument("policy '" + policy.name() + "': its lambda could not be replaced");
  }
  return changed;
}

}  // namespace aio
