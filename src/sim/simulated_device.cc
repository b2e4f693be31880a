#include "sim/simulated_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/sim_time.h"

namespace aio {
namespace {

double Gb(int64_t bytes) { return static_cast<double>(bytes) / 1e9; }

int64_t BytesOfBlock(const SimulatedModelOptions& options) {
  return KvCache::kBlockTokens * options.model.costs.KvBytesPerToken();
}

Status DoesNotFit(const DeviceProfile& profile, std::string_view what, double gb) {
  return InvalidArgument(
      fmt::format("{} has {:.1f} GB of memory, and {} need {:.1f}: take smaller models, weights of "
                  "fewer bits, less KV or a device for each",
                  profile.title, profile.memory_gb.value, what, gb));
}

// Blocks of KV for each model that is not given any, from what the others leave.
Result<std::vector<SimulatedModelOptions>> DivideMemory(const DeviceProfile& profile,
                                                        std::vector<SimulatedModelOptions> models) {
  // Activations and graphs want memory too; the rest is as vLLM's gpu_memory_utilization is.
  constexpr double kUsableShare = 0.9;
  // With less the device could hardly answer one request.
  constexpr int kBlocksLeast = 32;
  double gb = 0;
  double gb_of_a_block = 0;  // of each that is not given any
  for (const SimulatedModelOptions& options : models) {
    gb += Gb(options.model.costs.ResidentBytes(options.model.weights) +
             options.kv_blocks * BytesOfBlock(options));
    if (options.kv_blocks == 0) gb_of_a_block += Gb(BytesOfBlock(options));
  }
  if (gb > profile.memory_gb.value) {
    return DoesNotFit(profile, "the models with their KV", gb);
  }
  if (gb_of_a_block == 0) return models;
  const double left = profile.memory_gb.value * kUsableShare - gb;
  constexpr double kBlocksMax = 1 << 22;
  const int blocks = static_cast<int>(std::min(left / gb_of_a_block, kBlocksMax));
  if (blocks < kBlocksLeast) {
    return DoesNotFit(
        profile, "the weights and room for KV",
        gb + kBlocksLeast * gb_of_a_block + profile.memory_gb.value * (1 - kUsableShare));
  }
  for (SimulatedModelOptions& options : models) {
    if (options.kv_blocks == 0) options.kv_blocks = blocks;
  }
  return models;
}

}  // namespace

Result<std::unique_ptr<SimulatedDevice>> SimulatedDevice::Create(
    const DeviceProfile& profile, const std::vector<SimulatedModelOptions>& models,
    EventQueue& events) {
  AIO_ASSIGN_OR_RETURN(const auto divided, DivideMemory(profile, models));
  return std::unique_ptr<SimulatedDevice>(new SimulatedDevice(profile, divided, events));
}

SimulatedDevice::SimulatedDevice(const DeviceProfile& profile,
                                 const std::vector<SimulatedModelOptions>& models,
                                 EventQueue& events)
    : profile_(profile),
      events_(events),
      graphs_(static_cast<size_t>(profile.graphs.resident_max.value)),
      share_(std::vector<double>(models.size(), 1.0)),
      has_work_(models.size()) {
  for (const SimulatedModelOptions& options : models) {
    models_.push_back(std::make_unique<SimulatedModel>(options, profile, graphs_));
    // Engines record the shapes they know of before they serve, the smallest last.
    const std::vector<int>& buckets = profile.graphs.row_buckets;
    for (auto rows = buckets.rbegin(); rows != buckets.rend(); ++rows) {
      graphs_.Use(options.model.number, *rows);
    }
  }
}

void SimulatedDevice::Add(int model, std::unique_ptr<SimulatedSequence> sequence, bool with_kv) {
  SimulatedModel& of = *models_[static_cast<size_t>(model)];
  if (with_kv) {
    of.AddWithKv(std::move(sequence));
  } else {
    of.Add(std::move(sequence));
  }
  if (running_ < 0) BeginNext();
}

std::vector<uint64_t> SimulatedDevice::Fail() {
  is_up_ = false;
  running_ = -1;
  ++steps_;  // the one that runs never ends
  std::vector<uint64_t> lost;
  for (const auto& model : models_) {
    for (const uint64_t id : model->Lose()) lost.push_back(id);
  }
  return lost;
}

void SimulatedDevice::OnEvent(int64_t what) {
  if (what != steps_) return;
  // Who is told of an end may add something, which waits for the next step.
  models_[static_cast<size_t>(running_)]->End(events_.Now());
  running_ = -1;
  BeginNext();
}

void SimulatedDevice::BeginNext() {
  for (size_t i = 0; i < models_.size(); ++i) has_work_[i] = models_[i]->has_work();
  const int next = share_.Next(has_work_);
  if (next < 0 || !is_up_) return;
  bool others_wait = false;
  for (int i = 0; i < num_models(); ++i)
    others_wait |= i != next && has_work_[static_cast<size_t>(i)];
  SimulatedModel& model = *models_[static_cast<size_t>(next)];
  Duration step = model.Begin(events_.Now(), others_wait);
  share_.Charge(next, model.charged_bytes());
  if (step == Duration::zero()) return;
  if (last_ >= 0 && last_ != next) {
    const Duration change = SimSeconds(profile_.model_switch_us.value / 1e6);
    switching_ms_ += ToMs(change);
    step += change;
  }
  running_ = last_ = next;
  busy_ms_ += ToMs(step);
  events_.Plan(events_.Now() + step, *this, ++steps_);
}

}  // namespace aio
