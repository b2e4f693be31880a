// Devices that fail and come back, as planned or by chance.
#ifndef AIO_SIM_DEVICE_FAILURES_H_
#define AIO_SIM_DEVICE_FAILURES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/event_queue.h"
#include "sim/sim_random.h"
#include "sim/simulated_backend.h"
#include "sim/simulated_device.h"

namespace aio {

struct FailingDevice {
  SimulatedDevice* device = nullptr;
  // By chance, times of a device up and down are exponential; 0: not by chance.
  double between_failures_hours = 0;
  double repair_hours = 0;
  std::vector<std::pair<Duration, Duration>> planned = {};  // when, for how long
};

// Not thread-safe. All that is given outlives it.
class DeviceFailures final : public Actor {
 public:
  DeviceFailures(std::vector<FailingDevice> devices, SimulatedBackend& backend, EventQueue& events,
                 uint64_t seed);

  // By chance none fails after `end`.
  void Begin(Duration end);
  void OnEvent(int64_t what) override;

  int64_t CountUntil(TimePoint end) const;
  // How long the `device`th was down, until `end`.
  Duration DownUntil(size_t device, TimePoint end) const;

 private:
  enum class Event : int { kFails, kRecovers, kFailsByChance, kRecoversByChance, kCheck };

  void Plan(Duration at, Event event, size_t device);
  void PlanChecks(size_t device);
  void PlanByChance(size_t device);
  void Fail(size_t device);
  void Recover(size_t device);

  struct Downtime {
    TimePoint from{};
    TimePoint to = TimePoint::max();
  };
  struct DeviceState {
    int causes = 0;  // that it is down for now
    std::vector<Downtime> downtimes;
  };

  const std::vector<FailingDevice> devices_;
  SimulatedBackend& backend_;
  EventQueue& events_;
  SimRandom random_;
  Duration end_{};
  std::vector<DeviceState> states_;  // [devices]
};

}  // namespace aio

#endif  // AIO_SIM_DEVICE_FAILURES_H_
