// Reads answers of name servers, which come from the network: nothing in them is trusted.
#ifndef AIO_DISCOVERY_DNS_ANSWER_H_
#define AIO_DISCOVERY_DNS_ANSWER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace aio {

// A record of RFC 2782.
struct SrvRecord {
  int priority = 0;
  int weight = 0;
  int port = 0;
  std::string target;  // without the dot at its end; empty: decidedly nothing is served

  friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

// The IP addresses of the A and AAAA records, as text, in the answer's order; at most
// kReplicasMax, beyond which the answer is a fault, as is one that is cut off or malformed. Other
// records (CNAME) are passed over.
Result<std::vector<std::string>> ReadAddressRecords(std::span<const uint8_t> answer);
// Likewise the SRV records, with targets that are names of hosts.
Result<std::vector<SrvRecord>> ReadSrvRecords(std::span<const uint8_t> answer);

}  // namespace aio

#endif  // AIO_DISCOVERY_DNS_ANSWER_H_
