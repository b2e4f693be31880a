// Answers come from the network: no bytes may crash the readers, and what they take are addresses
// and hosts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "discovery/dns_answer.h"
#include "discovery/replica_spec.h"
#include "discovery/replica_url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> answer(data, size);
  if (const auto addresses = aio::ReadAddressRecords(answer); addresses.ok()) {
    if (addresses->size() > aio::kReplicasMax) std::abort();
    for (const std::string& address : *addresses) {
      if (!aio::IsIpAddress(address)) std::abort();
    }
  }
  if (const auto records = aio::ReadSrvRecords(answer); records.ok()) {
    if (records->size() > aio::kReplicasMax) std::abort();
    for (const aio::SrvRecord& record : *records) {
      if (record.target.empty()) continue;
      const std::string url = "http://" + record.target + ":" + std::to_string(record.port);
      if (!aio::CheckReplicaUrl(url).ok()) std::abort();
    }
  }
  return 0;
}
