// A model that other servers hold.
#ifndef AIO_REMOTE_REMOTE_OPTIONS_H_
#define AIO_REMOTE_REMOTE_OPTIONS_H_

#include <string>

#include "base/clock.h"
#include "remote/engine_profile.h"
#include "remote/replica_set.h"

namespace aio {

// Which requests go to one replica, for its prefix cache's sake.
enum class Affinity {
  kNone,
  kSession,  // those of one conversation, as far as clients name it (Request::session)
  kPrefix,   // likewise, and others that begin alike
};

struct RemoteOptions {
  std::string name;         // what clients call the model
  std::string role;         // "small" or "large"
  std::string served_name;  // what the engine calls it
  EngineProfile profile;
  std::string api_key;     // of the engine; empty: none is sent
  int context_length = 0;  // tokens; 0: unknown
  int running_max = 256;   // requests of a replica at a time, for what waits before all of them
  Affinity affinity = Affinity::kSession;
  ReplicaSetOptions replicas = {};

  Duration connect_timeout = std::chrono::seconds(1);
  Duration first_token_timeout = std::chrono::seconds(120);
  Duration probe_timeout = std::chrono::seconds(5);     // of a probe, all its tries together
  Duration silence_timeout = std::chrono::seconds(60);  // between two parts of an answer
  int retries_max = 2;  // of a request of which nothing has come yet
  // A second replica is asked too when the first has said nothing for so long; 0: never.
  Duration hedge_after{};
  Duration health_interval = std::chrono::milliseconds(500);  // 0: replicas are not asked
  Duration health_timeout = std::chrono::seconds(1);
  int health_port = 0;  // of each replica's host; 0: the URL's

  friend bool operator==(const RemoteOptions&, const RemoteOptions&) = default;
};

}  // namespace aio

#endif  // AIO_REMOTE_REMOTE_OPTIONS_H_
