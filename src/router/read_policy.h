// The parts of a policy file, each read by a function of its own. For ReadPolicySettings() only.
//
// Faults go into the table, and come out of its Finish().
#ifndef AIO_ROUTER_READ_POLICY_H_
#define AIO_ROUTER_READ_POLICY_H_

#include <optional>
#include <string>
#include <vector>

#include "backend/request.h"
#include "router/policy_settings.h"

namespace aio {

class TomlTable;

struct ArmName {
  std::string role;
  Strategy strategy;
  std::string weights;
};

// role, strategy with its parameters, weights: as a [[rule]] and an [[arm]] have them.
ArmName ReadArmName(TomlTable& table);

std::vector<RoutingRule> ReadRules(TomlTable& root);
std::vector<PolicyArm> ReadArms(TomlTable& root);
// That the arms say all that `settings` decide by.
void CheckArmsSuffice(TomlTable& root, const PolicySettings& settings);

std::optional<ProbeCalibration> ReadCalibration(TomlTable& root);
std::optional<PolicyEvidence> ReadEvidence(TomlTable& root);
std::optional<SessionSettings> ReadSession(TomlTable& root);
std::optional<DriftSettings> ReadDrift(TomlTable& root);

}  // namespace aio

#endif  // AIO_ROUTER_READ_POLICY_H_
