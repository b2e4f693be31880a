// A fleet file: which devices hold which models, and which fail.
#ifndef AIO_SIM_FLEET_H_
#define AIO_SIM_FLEET_H_

#include <string>
#include <string_view>

#include "base/status.h"
#include "sim/simulation.h"

namespace aio {

// Fills in the pools, failures and roles of `setup`; what the file does not say of a role stays as
// it is. See docs/simulation.md for the keys. Errors name `source`, line and key.
Status ReadFleet(std::string_view toml, const std::string& source, SimulationSetup& setup);
Status ReadFleetFile(const std::string& path, SimulationSetup& setup);

}  // namespace aio

#endif  // AIO_SIM_FLEET_H_
