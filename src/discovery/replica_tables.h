// Replicas as TOML has them.
#ifndef AIO_DISCOVERY_REPLICA_TABLES_H_
#define AIO_DISCOVERY_REPLICA_TABLES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/toml_table.h"
#include "discovery/replica_spec.h"

namespace aio {

// The key `strategy`: how a replica was started to decode, "plain", "prompt_lookup" or
// "draft_model", or empty. Another is a fault: no request would ever prefer that replica.
std::optional<std::string> ReadReplicaStrategy(TomlTable& table);

// The tables [[replicas]] of `table`; faults come out of its Finish(). What a replica leaves out is
// taken from `defaults`, of which the URL does not count.
//
//   [[replicas]]
//   url = "http://10.0.0.7:8000"
//   weight = 2.0                  # kReplicaWeightMin to kReplicaWeightMax
//   zone = "a"
//   strategy = "prompt_lookup"
//   draining = true
std::vector<ReplicaSpec> ReadReplicaTables(TomlTable& table, const ReplicaSpec& defaults);

// The text of a file of its own with these tables and nothing else. It must have them: "replicas =
// []" is how to say that there are none, and an empty file says nothing.
Result<std::vector<ReplicaSpec>> ParseReplicaFile(std::string_view text, const std::string& source,
                                                  const ReplicaSpec& defaults);

}  // namespace aio

#endif  // AIO_DISCOVERY_REPLICA_TABLES_H_
