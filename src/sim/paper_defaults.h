// What the paper's tables say of its pair, for simulations of it: how well the probe and the models
// do, and how often guesses come true.
#ifndef AIO_SIM_PAPER_DEFAULTS_H_
#define AIO_SIM_PAPER_DEFAULTS_H_

#include <vector>

#include "paper/paper_tables.h"
#include "router/policy_settings.h"
#include "sim/draw_workload.h"
#include "sim/simulated_backend.h"

namespace aio {

// Table 2.
ProbeQuality PaperProbe(const PaperTables& tables);

// Of the static configurations, decoding plainly: Table 3 (code: HumanEval, qa: MMLU, math: GSM8K),
// and Table 1 for long prompts.
std::vector<PolicyArm> PaperAccuracies(const PaperTables& tables);

// Of prompt lookup, from Table 3: its speed over the plain one's is the tokens that a step gives,
// which the host's time bounds, whatever is checked in it; with L guesses that is 1 + p + ... +
// p^L.
AcceptanceTable PaperAcceptance(const PaperTables& tables, bool large);

}  // namespace aio

#endif  // AIO_SIM_PAPER_DEFAULTS_H_
