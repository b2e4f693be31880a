#include "sim/device_failures.h"

#include <algorithm>

#include "remote/remote_options.h"
#include "sim/sim_time.h"

namespace aio {
namespace {

constexpr int64_t kEvents = 5;  // DeviceFailures::Event
constexpr double kSecondsPerHour = 3600;

}  // namespace

DeviceFailures::DeviceFailures(std::vector<FailingDevice> devices, SimulatedBackend& backend,
                               EventQueue& events, uint64_t seed)
    : devices_(std::move(devices)),
      backend_(backend),
      events_(events),
      random_(seed),
      states_(devices_.size()) {}

void DeviceFailures::Plan(Duration at, Event event, size_t device) {
  events_.Plan(TimePoint(at), *this,
               static_cast<int64_t>(device) * kEvents + static_cast<int64_t>(event));
}

void DeviceFailures::PlanByChance(size_t device) {
  const double hours = devices_[device].between_failures_hours;
  if (hours <= 0) return;
  const Duration at = events_.Now().time_since_epoch() +
                      SimSeconds(hours * kSecondsPerHour * random_.Exponential());
  if (at <= end_) Plan(at, Event::kFailsByChance, device);
}

void DeviceFailures::Begin(Duration end) {
  end_ = end;
  for (size_t i = 0; i < devices_.size(); ++i) {
    for (const auto& [at, lasts] : devices_[i].planned) {
      Plan(at, Event::kFails, i);
      Plan(at + lasts, Event::kRecovers, i);
    }
    PlanByChance(i);
  }
}

// As many as a replica is given before it is down (ReplicaLimits), as often as a server makes them.
void DeviceFailures::PlanChecks(size_t device) {
  const Duration every = RemoteOptions().health_interval;
  const int checks = ReplicaLimits().failed_checks_max;
  for (int i = 1; i <= checks; ++i) {
    Plan(events_.Now().time_since_epoch() + i * every, Event::kCheck, device);
  }
}

void DeviceFailures::Fail(size_t device) {
  DeviceState& state = states_[device];
  if (state.causes++ > 0) return;
  state.downtimes.push_back({.from = events_.Now()});
  backend_.OnLost(devices_[device].device->Fail());
  PlanChecks(device);
}

void DeviceFailures::Recover(size_t device) {
  DeviceState& state = states_[device];
  if (--state.causes > 0) return;
  state.downtimes.back().to = events_.Now();
  devices_[device].device->Recover();
  PlanChecks(device);
}

void DeviceFailures::OnEvent(int64_t what) {
  const auto i = static_cast<size_t>(what / kEvents);
  switch (static_cast<Event>(what % kEvents)) {
    case Event::kFails:
      return Fail(i);
    case Event::kRecovers:
      return Recover(i);
    case Event::kFailsByChance:
      Fail(i);
      return Plan(
          events_.Now().time_since_epoch() +
              SimSeconds(devices_[i].repair_hours * kSecondsPerHour * random_.Exponential()),
          Event::kRecoversByChance, i);
    case Event::kRecoversByChance:
      Recover(i);
      return PlanByChance(i);
    case Event::kCheck:
      return backend_.OnHealthCheck(*devices_[i].device);
  }
}

int64_t DeviceFailures::CountUntil(TimePoint end) const {
  int64_t count = 0;
  for (const DeviceState& state : states_) {
    count += std::count_if(state.downtimes.begin(), state.downtimes.end(),
                           [&](const Downtime& downtime) { return downtime.from <= end; });
  }
  return count;
}

Duration DeviceFailures::DownUntil(size_t device, TimePoint end) const {
  Duration down{};
  for (const Downtime& downtime : states_[device].downtimes) {
    down += std::max(Duration{}, std::min(downtime.to, end) - downtime.from);
  }
  return down;
}

}  // namespace aio
