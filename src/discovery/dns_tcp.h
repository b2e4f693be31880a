// Asks one name server over TCP, for answers that are too long for UDP. The C library would do it
// too, but without an end to its patience.
#ifndef AIO_DISCOVERY_DNS_TCP_H_
#define AIO_DISCOVERY_DNS_TCP_H_

#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace aio {

// The answer to `query` (RFC 1035, 4.2.2), with the query's id. kUnavailable: there is none in
// time.
Result<std::vector<uint8_t>> AskOverTcp(const sockaddr& server, socklen_t server_size,
                                        std::span<const uint8_t> query, Duration timeout);

}  // namespace aio

#endif  // AIO_DISCOVERY_DNS_TCP_H_
