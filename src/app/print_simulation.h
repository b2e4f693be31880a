#ifndef AIO_APP_PRINT_SIMULATION_H_
#define AIO_APP_PRINT_SIMULATION_H_

#include <string>

#include "sim/sim_report.h"

namespace aio {

// For people: a run beside the same with the large model for all, a table of a sweep, the answer to
// a question, or a comparison; with how far the devices' profiles can be trusted.
std::string FormatSimulation(const SimReport& report);

// The published and measured steps of a device beside what its profile says of them.
std::string FormatDevice(const DeviceProfile& device);
std::string FormatDevices();

}  // namespace aio

#endif  // AIO_APP_PRINT_SIMULATION_H_
