#include "app/serve_admission.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace aio {

void ReadAdmission(TomlTable& root, AdmissionLimits& limits) {
  std::optional<TomlTable> table = root.Table("admission");
  if (!table) return;
  constexpr int kMax = 1'000'000;
  limits.running_max = table->Int("running_max", 0, kMax).value_or(limits.running_max);
  limits.waiting_max = table->Int("waiting_max", 0, kMax).value_or(limits.waiting_max);
  limits.waiting_per_client_max =
      table->Int("waiting_per_key_max", 0, kMax).value_or(limits.waiting_per_client_max);
}

AdmissionLimits EffectiveLimits(const AppConfig& config) {
  AdmissionLimits limits = config.admission;
  if (limits.running_max == 0) {
    limits.running_max =
        config.engine.max_running * static_cast<int>(ResidentModels(config).size());
    for (const ModelSettings& model : config.models) {
      if (!model.remote) continue;
      // Of replicas that come and go, as many as there may well be.
      constexpr int64_t kReplicasGuess = 16;
      constexpr int64_t kMost = 1'000'000;
      const auto listed = static_cast<int64_t>(model.remote->discovery.replicas.size());
      const int64_t more =
          model.remote->options.running_max * (listed > 0 ? listed : kReplicasGuess);
      limits.running_max = static_cast<int>(std::min(kMost, limits.running_max + more));
    }
  }
  return limits;
}

void ConnectAdmission(const AdmissionBackend& admission, ServerOptions& options) {
  options.metric_sources.push_back([&admission] {
    const AdmissionCounts counts = admission.counts();
    const auto counter = [](const char* name, const char* help, int64_t value) {
      return MetricReading{
          .name = name, .help = help, .is_counter = true, .value = static_cast<double>(value)};
    };
    return std::vector<MetricReading>{
        {.name = "aio_admission_running",
         .help = "Generations that have been let through to the models",
         .is_counter = false,
         .value = static_cast<double>(counts.running)},
        {.name = "aio_admission_waiting",
         .help = "Requests that wait for their turn",
         .is_counter = false,
         .value = static_cast<double>(counts.waiting)},
        counter("aio_admission_queued_total", "Requests that had to wait", counts.queued),
        counter("aio_admission_refused_total", "Requests that found the queue full",
                counts.refused),
        counter("aio_admission_expired_total", "Requests whose deadline passed before their turn",
                counts.expired),
        counter("aio_admission_cancelled_total", "Requests whose client left before their turn",
                counts.cancelled)};
  });
}

}  // namespace aio
