// Files of replicas are written by others: no text may crash the reader, and what it takes can be
// connected to.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "discovery/replica_tables.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto replicas = aio::ParseReplicaFile(text, "fuzz.toml", {});
  if (!replicas.ok()) return 0;
  for (const aio::ReplicaSpec& replica : *replicas) {
    if (!aio::CheckReplicaUrl(replica.url).ok() || !(replica.weight > 0)) std::abort();
  }
  return 0;
}
