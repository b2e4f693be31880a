// A device of round numbers with the paper's pair, for tests.
#ifndef AIO_SIM_SIM_TEST_SETUP_H_
#define AIO_SIM_SIM_TEST_SETUP_H_

#include "sim/simulation.h"

namespace aio {

inline SimulatedRole TestRole(const char* shape, int kv_tokens) {
  SimulatedRole role;
  role.name = shape;
  role.shape = *FindShape(shape);
  role.kv_tokens = kv_tokens;
  role.scheduler = {.max_running = 64, .prefill_chunk_tokens = 2048, .max_draft_tokens = 64};
  return role;
}

inline SimulatedPool TestPool(int devices) {
  SimulatedPool pool;
  pool.device.name = pool.device.title = "a device";
  pool.device.memory_gb.value = 64;
  pool.device.read_gb_per_s.value = 1600;
  pool.device.read_share.value = 0.8;
  pool.device.f16_tflops.value = 300;
  pool.device.compute_share.value = 0.5;
  pool.device.usd_per_hour.value = 2;
  pool.device.link_gb_per_s.value = 100;
  pool.devices = devices;
  return pool;
}

inline SimulationSetup TestSetup(int devices) {
  SimulationSetup setup;
  setup.pools = {TestPool(devices)};
  setup.roles = {TestRole("openpangu-1b", 65536), TestRole("openpangu-7b", 65536)};
  setup.policy = RoutingPolicy::Paper();
  return setup;
}

}  // namespace aio

#endif  // AIO_SIM_SIM_TEST_SETUP_H_
