// Writes answers of name servers, well-formed or not.
#ifndef AIO_DISCOVERY_TESTING_DNS_MESSAGE_H_
#define AIO_DISCOVERY_TESTING_DNS_MESSAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aio {

// As in <arpa/nameser.h>.
inline constexpr int kDnsTypeA = 1;
inline constexpr int kDnsTypeCname = 5;
inline constexpr int kDnsTypeAaaa = 28;
inline constexpr int kDnsTypeSrv = 33;

struct DnsTestRecord {
  int type = kDnsTypeA;
  std::vector<uint8_t> data;
};
DnsTestRecord AddressRecord(const std::string& address);
DnsTestRecord SrvTestRecord(int priority, int weight, int port, std::string_view target);

// "a.b" as labels.
std::vector<uint8_t> DnsLabels(std::string_view name);

struct DnsTestAnswer {
  int code = 0;  // 2: the server has failed, 3: no such name, 5: refused
  bool truncated = false;
  std::vector<DnsTestRecord> records;
};
// The answer to `query`, whose question it repeats.
std::vector<uint8_t> WriteDnsAnswer(std::span<const uint8_t> query, const DnsTestAnswer& answer);
// A query of `name`, as a resolver writes it.
std::vector<uint8_t> WriteDnsQuery(std::string_view name, int type);

// What a query asks for.
struct DnsTestQuestion {
  std::string name;  // in small letters
  int type = 0;
};
DnsTestQuestion ReadDnsQuestion(std::span<const uint8_t> query);

}  // namespace aio

#endif  // AIO_DISCOVERY_TESTING_DNS_MESSAGE_H_
