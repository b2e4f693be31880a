#include "discovery/dns_answer.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <functional>
#include <utility>

#include "discovery/replica_spec.h"
#include "discovery/replica_url.h"

namespace aio {
namespace {

Status Malformed() { return InvalidArgument("the name server's answer is malformed"); }

// Calls `take` with each record of the answer, as far as it goes well.
Status ForEachAnswer(std::span<const uint8_t> answer,
                     const std::function<Status(ns_msg& message, ns_rr& record)>& take) {
  if (answer.size() > NS_MAXMSG) return Malformed();
  ns_msg message{};
  if (ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) {
    return Malformed();
  }
  const int count = ns_msg_count(message, ns_s_an);
  for (int i = 0; i < count; ++i) {
    ns_rr record{};
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return Malformed();
    if (ns_rr_class(record) != ns_c_in) continue;
    AIO_RETURN_IF_ERROR(take(message, record));
  }
  return Status::Ok();
}

template <typename T>
Status Append(T value, std::vector<T>& values) {
  if (values.size() == kReplicasMax) {
    return InvalidArgument(
        fmt::format("the name server's answer has more than {} records", kReplicasMax));
  }
  values.push_back(std::move(value));
  return Status::Ok();
}

Result<std::string> ReadAddress(const ns_rr& record) {
  const bool v4 = ns_rr_type(record) == ns_t_a;
  if (ns_rr_rdlen(record) != (v4 ? NS_INADDRSZ : NS_IN6ADDRSZ)) return Malformed();
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4 ? AF_INET : AF_INET6, ns_rr_rdata(record), text.data(), text.size());
  return std::string(text.data());
}

Result<SrvRecord> ReadSrv(const ns_msg& message, const ns_rr& record) {
  constexpr size_t kBytesBeforeTarget = 6;
  if (ns_rr_rdlen(record) <= kBytesBeforeTarget) return Malformed();
  const uint8_t* bytes = ns_rr_rdata(record);
  SrvRecord srv;
  srv.priority = static_cast<int>(ns_get16(bytes));
  srv.weight = static_cast<int>(ns_get16(bytes + 2));
  srv.port = static_cast<int>(ns_get16(bytes + 4));
  std::array<char, NS_MAXDNAME> target{};
  const int length = ns_name_uncompress(ns_msg_base(message), ns_msg_end(message),
                                        bytes + kBytesBeforeTarget, target.data(), target.size());
  if (length < 0 || kBytesBeforeTarget + static_cast<size_t>(length) != ns_rr_rdlen(record)) {
    return Malformed();
  }
  srv.target = target.data();
  if (srv.target == ".") srv.target.clear();
  if (srv.target.empty()) return srv;
  // Presentation escapes what is no letter, so that nothing else comes through.
  if (!IsHostName(srv.target)) return Malformed();
  if (srv.target.ends_with('.')) srv.target.pop_back();
  if (srv.port == 0) return Malformed();
  return srv;
}

}  // namespace

Result<std::vector<std::string>> ReadAddressRecords(std::span<const uint8_t> answer) {
  std::vector<std::string> addresses;
  AIO_RETURN_IF_ERROR(ForEachAnswer(answer, [&](ns_msg&, ns_rr& record) {
    if (ns_rr_type(record) != ns_t_a && ns_rr_type(record) != ns_t_aaaa) return Status::Ok();
    Result<std::string> address = ReadAddress(record);
    return address.ok() ? Append(std::move(address).value(), addresses) : address.status();
  }));
  return addresses;
}

Result<std::vector<SrvRecord>> ReadSrvRecords(std::span<const uint8_t> answer) {
  std::vector<SrvRecord> records;
  AIO_RETURN_IF_ERROR(ForEachAnswer(answer, [&](ns_msg& message, ns_rr& record) {
    if (ns_rr_type(record) != ns_t_srv) return Status::Ok();
    Result<SrvRecord> srv = ReadSrv(message, record);
    return srv.ok() ? Append(std::move(srv).value(), records) : srv.status();
  }));
  return records;
}

}  // namespace aio
