#include "discovery/testing/dns_message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace aio {
namespace {

constexpr size_t kHeaderBytes = 12;

void Append16(int value, std::vector<uint8_t>& bytes) {
  bytes.push_back(static_cast<uint8_t>(value >> 8));
  bytes.push_back(static_cast<uint8_t>(value));
}

void AppendAll(std::span<const uint8_t> more, std::vector<uint8_t>& bytes) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

// After the labels, the type and the class that follow the header.
size_t EndOfQuestion(std::span<const uint8_t> query) {
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) at += 1 + query[at];
  return std::min(at + 1 + 4, query.size());
}

}  // namespace

DnsTestRecord AddressRecord(const std::string& address) {
  const bool v6 = address.find(':') != std::string::npos;
  DnsTestRecord record{.type = v6 ? kDnsTypeAaaa : kDnsTypeA, .data = {}};
  record.data.resize(v6 ? 16 : 4);
  AIO_CHECK(inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), record.data.data()) == 1,
            "no address");
  return record;
}

DnsTestRecord SrvTestRecord(int priority, int weight, int port, std::string_view target) {
  DnsTestRecord record{.type = kDnsTypeSrv, .data = {}};
  for (const int number : {priority, weight, port}) Append16(number, record.data);
  AppendAll(DnsLabels(target), record.data);
  return record;
}

std::vector<uint8_t> DnsLabels(std::string_view name) {
  std::vector<uint8_t> bytes;
  while (!name.empty()) {
    const size_t end = std::min(name.find('.'), name.size());
    bytes.push_back(static_cast<uint8_t>(end));
    bytes.insert(bytes.end(), name.begin(), name.begin() + static_cast<ptrdiff_t>(end));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  bytes.push_back(0);
  return bytes;
}

std::vector<uint8_t> WriteDnsAnswer(std::span<const uint8_t> query, const DnsTestAnswer& answer) {
  std::vector<uint8_t> bytes(query.begin(),
                             query.begin() + static_cast<ptrdiff_t>(EndOfQuestion(query)));
  bytes[2] = static_cast<uint8_t>(0x80 | (query[2] & 0x01) | (answer.truncated ? 0x02 : 0));
  bytes[3] = static_cast<uint8_t>(0x80 | answer.code);
  bytes[6] = static_cast<uint8_t>(answer.records.size() >> 8);
  bytes[7] = static_cast<uint8_t>(answer.records.size());
  std::fill(bytes.begin() + 8, bytes.begin() + kHeaderBytes, uint8_t{0});
  for (const DnsTestRecord& record : answer.records) {
    Append16(0xc000 | kHeaderBytes, bytes);  // the question's name
    Append16(record.type, bytes);
    Append16(1, bytes);  // IN
    Append16(0, bytes);  // an hour of life, which nobody heeds
    Append16(3600, bytes);
    Append16(static_cast<int>(record.data.size()), bytes);
    AppendAll(record.data, bytes);
  }
  return bytes;
}

std::vector<uint8_t> WriteDnsQuery(std::string_view name, int type) {
  std::vector<uint8_t> bytes = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0};
  AppendAll(DnsLabels(name), bytes);
  Append16(type, bytes);
  Append16(1, bytes);
  return bytes;
}

DnsTestQuestion ReadDnsQuestion(std::span<const uint8_t> query) {
  DnsTestQuestion question;
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) {
    const size_t end = std::min(at + 1 + query[at], query.size());
    if (!question.name.empty()) question.name += '.';
    for (++at; at < end; ++at) question.name += static_cast<char>(std::tolower(query[at]));
  }
  if (at + 2 < query.size()) question.type = query[at + 1] << 8 | query[at + 2];
  return question;
}

}  // namespace aio
