#include "sim/device_failures.h"

#include <chrono>

#include "remote/remote_options.h"

namespace aio {
namespace {

constexpr int64_t kEvents = 3;  // DeviceFailures::Event

Duration FromHours(double hours) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::ratio<3600>>(hours));
}

}  // namespace

DeviceFailures::DeviceFailures(std::vector<FailingDevice> devices, SimulatedBackend& backend,
                               EventQueue& events, uint64_t seed)
    : devices_(std::move(devices)),
      backend_(backend),
      events_(events),
      random_(seed),
      downtimes_(devices_.size()) {}

void DeviceFailures::Plan(Duration at, Event event, size_t device) {
  events_.Plan(TimePoint(at), *this,
               static_cast<int64_t>(device) * kEvents + static_cast<int64_t>(event));
}

void DeviceFailures::Begin(Duration end) {
  for (size_t i = 0; i < devices_.size(); ++i) {
    for (const auto& [at, lasts] : devices_[i].planned) {
      Plan(at, Event::kFails, i);
      Plan(at + lasts, Event::kRecovers, i);
    }
    if (devices_[i].between_failures_hours <= 0) continue;
    Duration at{};
    for (;;) {
      at += FromHours(devices_[i].between_failures_hours * random_.Exponential());
      if (at > end) break;
      Plan(at, Event::kFails, i);
      at += FromHours(devices_[i].repair_hours * random_.Exponential());
      Plan(at, Event::kRecovers, i);
    }
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

void DeviceFailures::OnEvent(int64_t what) {
  const auto i = static_cast<size_t>(what / kEvents);
  SimulatedDevice& device = *devices_[i].device;
  Downtime& downtime = downtimes_[i];
  switch (static_cast<Event>(what % kEvents)) {
    case Event::kFails:
      if (downtime.causes++ > 0) return;
      ++count_;
      downtime.since = events_.Now();
      backend_.OnLost(device.Fail());
      return PlanChecks(i);
    case Event::kRecovers:
      if (--downtime.causes > 0) return;
      downtime.total += events_.Now() - downtime.since;
      device.Recover();
      return PlanChecks(i);
    case Event::kCheck:
      return backend_.OnHealthCheck(device);
  }
}

Duration DeviceFailures::down(size_t device, TimePoint now) const {
  const Downtime& downtime = downtimes_[device];
  return downtime.total + (downtime.causes > 0 && now > downtime.since ? now - downtime.since
                                                                      : Duration{});
}

}  // namespace aio
