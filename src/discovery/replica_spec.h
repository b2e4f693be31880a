// One of the servers that serve a model, as plain data.
#ifndef AIO_DISCOVERY_REPLICA_SPEC_H_
#define AIO_DISCOVERY_REPLICA_SPEC_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// Of one model. Answers and files with more are refused whole.
inline constexpr size_t kReplicasMax = 4096;
inline constexpr double kReplicaWeightMin = 0.001;
inline constexpr double kReplicaWeightMax = 1000;

// (The "= {}" let it be written with only some of its members named.)
struct ReplicaSpec {
  std::string url = {};  // "http://host:8000/prefix"; no slash at the end: see CheckReplicaUrl()
  std::string address = {};   // IP (v4, or v6 without brackets) to connect to in place of resolving
                              // the URL's host; empty: resolve
  int port = 0;               // to connect to with `address`; 0: the URL's
  double weight = 1;          // its share beside the others', > 0
  std::string zone = {};      // empty: unknown
  std::string strategy = {};  // which decoding it was started with; empty: any
  bool draining = false;      // finishes what it has, gets nothing new

  friend bool operator==(const ReplicaSpec&, const ReplicaSpec&) = default;
};

// The order of sets: by URL and address first.
bool operator<(const ReplicaSpec& a, const ReplicaSpec& b);

// http or https, a host, optionally a port of 1..65535 and a path without a slash at its end;
// no user, no query. A fault names the URL, what is wrong with it and the mend.
Status CheckReplicaUrl(std::string_view url);

}  // namespace aio

#endif  // AIO_DISCOVERY_REPLICA_SPEC_H_
