#include "sim/simulated_device.h"

#include <fmt/format.h>

namespace aio {

Result<std::unique_ptr<SimulatedDevice>> SimulatedDevice::Create(
    const DeviceProfile& profile, const std::vector<SimulatedModelOptions>& models,
    EventQueue& events) {
  double gb = 0;
  for (const SimulatedModelOptions& model : models) {
    const int64_t kv =
        int64_t{model.kv_blocks} * KvCache::kBlockTokens * model.costs.KvBytesPerToken();
    gb += static_cast<double>(model.costs.WeightBytes(model.weights) + kv) / 1e9;
  }
  if (gb > profile.memory_gb.value) {
    return InvalidArgument(
        fmt::format("{} has {:.1f} GB of memory, and the models with their KV need {:.1f}: take a "
                    "smaller model, weights of 8 bits or less KV",
                    profile.title, profile.memory_gb.value, gb));
  }
  return std::unique_ptr<SimulatedDevice>(new SimulatedDevice(profile, models, events));
}

SimulatedDevice::SimulatedDevice(const DeviceProfile& profile,
                                 const std::vector<SimulatedModelOptions>& models,
                                 EventQueue& events)
    : profile_(profile),
      events_(events),
      share_(std::vector<double>(models.size(), 1.0)),
      has_work_(models.size()) {
  for (const SimulatedModelOptions& options : models) {
    models_.push_back(std::make_unique<SimulatedModel>(options, profile));
  }
}

void SimulatedDevice::Add(int model, std::unique_ptr<SimulatedSequence> sequence) {
  models_[static_cast<size_t>(model)]->Add(std::move(sequence));
  if (running_ < 0) BeginNext();
}

void SimulatedDevice::OnEvent(int64_t /*what*/) {
  // Who is told of an end may add something, which waits for the next step.
  models_[static_cast<size_t>(running_)]->End(events_.Now());
  running_ = -1;
  BeginNext();
}

void SimulatedDevice::BeginNext() {
  for (size_t i = 0; i < models_.size(); ++i) has_work_[i] = models_[i]->has_work();
  const int next = share_.Next(has_work_);
  if (next < 0) return;
  bool others_wait = false;
  for (int i = 0; i < num_models(); ++i)
    others_wait |= i != next && has_work_[static_cast<size_t>(i)];
  SimulatedModel& model = *models_[static_cast<size_t>(next)];
  const int64_t bytes = model.counts().weight_bytes + model.counts().kv_bytes;
  Duration step = model.Begin(events_.Now(), others_wait);
  share_.Charge(next, model.counts().weight_bytes + model.counts().kv_bytes - bytes);
  if (step == Duration::zero()) return;
  if (last_ >= 0 && last_ != next) {
    const auto change = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double, std::micro>(profile_.model_switch_us.value));
    switching_ms_ += ToMs(change);
    step += change;
  }
  running_ = last_ = next;
  busy_ms_ += ToMs(step);
  events_.Plan(events_.Now() + step, *this, 0);
}

}  // namespace aio
