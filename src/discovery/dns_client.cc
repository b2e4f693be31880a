#include "discovery/dns_client.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <chrono>

#include "discovery/dns_tcp.h"
#include "discovery/replica_url.h"

namespace aio {
namespace {

// A resolver's state, which it owns.
class Resolver {
 public:
  Resolver() : valid_(res_ninit(&state_) == 0) {}
  ~Resolver() {
    if (valid_) res_nclose(&state_);
  }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  bool valid() const { return valid_; }
  struct __res_state& state() {
    return state_;
  }

 private:
  struct __res_state state_ {};
  const bool valid_;
};

constexpr unsigned kDotsOfPods = 5;  // `options ndots:5`

int NumberOf(DnsRecordType type) {
  switch (type) {
    case DnsRecordType::kA:
      return ns_t_a;
    case DnsRecordType::kAaaa:
      return ns_t_aaaa;
    case DnsRecordType::kSrv:
      return ns_t_srv;
  }
  return ns_t_a;
}

std::string_view NameOf(DnsRecordType type) {
  switch (type) {
    case DnsRecordType::kA:
      return "A";
    case DnsRecordType::kAaaa:
      return "AAAA";
    case DnsRecordType::kSrv:
      return "SRV";
  }
  return "?";
}

Status FaultOf(const std::string& name, DnsRecordType type, int error) {
  switch (error) {
    case HOST_NOT_FOUND:
      return NotFound(
          fmt::format("name servers know no '{}'; is the name right? (/etc/hosts does "
                      "not count)",
                      name));
    case NO_DATA:
      return NotFound(fmt::format("'{}' has no {} records", name, NameOf(type)));
    case TRY_AGAIN:
      return Unavailable(fmt::format("no name server could answer for '{}'", name));
    default:
      return Unavailable(fmt::format("name servers refuse to answer for '{}'", name));
  }
}

// The name itself and the name in each domain of the search list; the name first if it has dots
// enough (resolv.conf(5)).
std::vector<std::string> NamesToAsk(const std::string& name,
                                    const std::vector<std::string>& domains, unsigned ndots) {
  if (name.ends_with('.')) return {name};
  std::vector<std::string> names;
  names.reserve(domains.size() + 1);
  for (const std::string& domain : domains) {
    std::string& full_name = names.emplace_back(name);
    if (!domain.empty()) full_name.append(".").append(domain);
  }
  const auto dots = static_cast<unsigned>(std::count(name.begin(), name.end(), '.'));
  names.insert(dots >= ndots ? names.begin() : names.end(), name);
  return names;
}

std::vector<std::string> DomainsOf(const struct __res_state& state) {
  std::vector<std::string> domains;
  for (const char* domain : state.dnsrch) {
    if (domain == nullptr) break;
    domains.emplace_back(domain);
  }
  return domains;
}

// What is said of one type of records of a full name.
enum class Outcome {
  kRecords,
  kNoRecords,  // the name is there without them
  kNoName,
  kFault,    // a server answers that it cannot or will not tell
  kUnknown,  // no server says anything that could be used
};
struct Reply {
  Outcome outcome;
  DnsAnswer answer;
};

Reply ReplyOf(const std::string& name, DnsRecordType type, int error) {
  const Outcome outcome = error == HOST_NOT_FOUND ? Outcome::kNoName
                          : error == NO_DATA      ? Outcome::kNoRecords
                                                  : Outcome::kFault;
  return {outcome, FaultOf(name, type, error)};
}

bool IsTruncated(const std::vector<uint8_t>& answer) {
  constexpr size_t kFlags = 2;
  constexpr uint8_t kTruncated = 0x02;
  return (answer[kFlags] & kTruncated) != 0;
}

int CodeOf(const std::vector<uint8_t>& answer) { return answer[3] & 0x0f; }

// The fault that an answer's header tells, as h_errno.
int HeaderError(const std::vector<uint8_t>& answer) {
  constexpr size_t kHeaderBytes = 12;
  if (answer.size() < kHeaderBytes) return TRY_AGAIN;
  const int code = CodeOf(answer);
  if (code == ns_r_nxdomain) return HOST_NOT_FOUND;
  if (code != ns_r_noerror) return code == ns_r_servfail ? TRY_AGAIN : NO_RECOVERY;
  return answer[6] == 0 && answer[7] == 0 ? NO_DATA : 0;
}

Reply AskServersOverTcp(struct __res_state& state, const std::string& name, DnsRecordType type) {
  std::vector<uint8_t> query(NS_PACKETSZ);
  const int size = res_nmkquery(&state, ns_o_query, name.c_str(), ns_c_in, NumberOf(type), nullptr,
                                0, nullptr, query.data(), static_cast<int>(query.size()));
  if (size < 0) return {Outcome::kUnknown, FaultOf(name, type, NO_RECOVERY)};
  query.resize(static_cast<size_t>(size));
  for (int i = 0; i < std::min(state.nscount, MAXNS); ++i) {
    const auto* v4 = reinterpret_cast<const sockaddr*>(&state.nsaddr_list[i]);
    const auto* v6 = reinterpret_cast<const sockaddr*>(state._u._ext.nsaddrs[i]);
    const bool is_v6 = state.nsaddr_list[i].sin_family != AF_INET;
    if (is_v6 && v6 == nullptr) continue;
    auto answer = AskOverTcp(is_v6 ? *v6 : *v4, is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in),
                             query, std::chrono::seconds(1));
    if (!answer.ok()) continue;
    const int error = HeaderError(*answer);
    if (error != 0) return ReplyOf(name, type, error);
    return {Outcome::kRecords, std::move(answer)};
  }
  return {Outcome::kUnknown, FaultOf(name, type, TRY_AGAIN)};
}

Reply AskForRecords(struct __res_state& state, const std::string& name, DnsRecordType type) {
  std::vector<uint8_t> answer(NS_MAXMSG);
  const int length = res_nquery(&state, name.c_str(), ns_c_in, NumberOf(type), answer.data(),
                                static_cast<int>(answer.size()));
  // An answer that was cut off may have no records left, which is reported as an absence.
  if (IsTruncated(answer)) return AskServersOverTcp(state, name, type);
  if (length < 0) {
    Reply reply = ReplyOf(name, type, state.res_h_errno);
    // A server that fails or refuses looks like one that is silent, but for what it has left here.
    const bool is_silent = CodeOf(answer) == ns_r_noerror;
    if (reply.outcome == Outcome::kFault && is_silent) reply.outcome = Outcome::kUnknown;
    return reply;
  }
  answer.resize(std::min(answer.size(), static_cast<size_t>(length)));
  return {Outcome::kRecords, std::move(answer)};
}

bool HasAny(const std::vector<Reply>& replies, Outcome outcome) {
  return std::any_of(replies.begin(), replies.end(),
                     [&](const Reply& reply) { return reply.outcome == outcome; });
}

bool IsThere(const std::vector<Reply>& replies) {
  return HasAny(replies, Outcome::kRecords) || HasAny(replies, Outcome::kNoRecords);
}

bool EndsSearch(const std::vector<Reply>& replies, bool was_there) {
  // Servers that are silent would be so for the next name.
  if (IsThere(replies) || HasAny(replies, Outcome::kUnknown)) return true;
  // While nobody can say whether a name that was found is there still, a later one could be a
  // stranger's.
  return was_there && HasAny(replies, Outcome::kFault);
}

// Whether it is remembered for the case that no name is found.
bool IsFault(const DnsAnswer& answer) {
  return !answer.ok() && answer.status().code() == StatusCode::kUnavailable;
}

}  // namespace

Result<DnsClient> DnsClient::Create(const std::string& server,
                                    const std::vector<std::string>& search) {
  if (server.empty()) return DnsClient(std::nullopt, {});
  const size_t colon = std::min(server.find(':'), server.size());
  const std::optional<int> port =
      ReadPort(std::string_view(server).substr(std::min(colon + 1, server.size())));
  in_addr address{};
  if (!port || inet_pton(AF_INET, server.substr(0, colon).c_str(), &address) != 1) {
    return InvalidArgument(
               fmt::format("'{}' is no name server; write an IPv4 address and a port, 10.0.0.1:53",
                           server))
        .WithParam("dns_server");
  }
  return DnsClient(Server{address.s_addr, htons(static_cast<uint16_t>(*port))}, search);
}

std::vector<DnsAnswer> DnsClient::Ask(const std::string& name, std::span<const DnsRecordType> types,
                                      const std::stop_token& stop) {
  Resolver resolver;
  if (!resolver.valid()) {
    return std::vector<DnsAnswer>(types.size(), Unavailable("the resolver cannot be set up"));
  }
  struct __res_state& state = resolver.state();
  if (server_) {
    state.nscount = 1;
    state.nsaddr_list[0] = {.sin_family = AF_INET,
                            .sin_port = server_->port,
                            .sin_addr = {server_->address},
                            .sin_zero = {}};
    state.ndots = kDotsOfPods;
  }
  // A question that is lost is asked again at the next look: patience is little.
  state.retrans = 1;
  state.retry = state.nscount == 1 ? 2 : 1;
  state.options |= RES_IGNTC;  // we ask over TCP ourselves

  std::vector<DnsAnswer> answers(types.size(), Status(StatusCode::kCancelled, ""));
  const std::vector<std::string> domains = server_ ? search_ : DomainsOf(state);
  for (const std::string& full_name : NamesToAsk(name, domains, state.ndots)) {
    std::vector<Reply> replies;
    for (const DnsRecordType type : types) {
      if (stop.stop_requested()) return answers;
      replies.push_back(AskForRecords(state, full_name, type));
    }
    const bool is_last = EndsSearch(replies, full_name == found_);
    if (IsThere(replies)) found_ = full_name;
    for (size_t i = 0; i < answers.size(); ++i) {
      if (is_last || !IsFault(answers[i])) answers[i] = std::move(replies[i].answer);
    }
    if (is_last) break;
  }
  return answers;
}

}  // namespace aio
