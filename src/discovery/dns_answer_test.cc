#include "discovery/dns_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "discovery/testing/dns_message.h"

namespace aio {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<uint8_t> Answer(std::vector<DnsTestRecord> records) {
  return WriteDnsAnswer(WriteDnsQuery("a.example", kDnsTypeA),
                        {.code = 0, .truncated = false, .records = std::move(records)});
}

TEST(ReadAddressRecords, PassesOverOtherRecords) {
  const auto answer = Answer({{.type = kDnsTypeCname, .data = DnsLabels("b.example")},
                              AddressRecord("10.0.0.1"),
                              AddressRecord("2001:db8::1")});
  EXPECT_THAT(ReadAddressRecords(answer).value(), ElementsAre("10.0.0.1", "2001:db8::1"));
}

TEST(ReadAddressRecords, RefusesWrongLengths) {
  EXPECT_THAT(
      ReadAddressRecords(Answer({{.type = kDnsTypeA, .data = {1, 2, 3}}})).status().message(),
      HasSubstr("malformed"));
  EXPECT_FALSE(ReadAddressRecords(Answer({{.type = kDnsTypeAaaa, .data = {1, 2, 3, 4}}})).ok());
}

// Cut off anywhere, an answer is a fault and never a smaller set.
TEST(ReadAddressRecords, RefusesEveryPrefix) {
  const auto whole = Answer({AddressRecord("10.0.0.1"), AddressRecord("10.0.0.2")});
  ASSERT_TRUE(ReadAddressRecords(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(ReadAddressRecords(cut).ok()) << size;
  }
}

TEST(ReadSrvRecords, ReadsAll) {
  const auto records = ReadSrvRecords(
      Answer({SrvTestRecord(0, 5, 8000, "pod-0.example"), SrvTestRecord(1, 0, 8001, "")}));
  EXPECT_THAT(
      records.value(),
      ElementsAre(SrvRecord{.priority = 0, .weight = 5, .port = 8000, .target = "pod-0.example"},
                  SrvRecord{.priority = 1, .weight = 0, .port = 8001, .target = ""}));
}

TEST(ReadSrvRecords, RefusesWhatIsNoHost) {
  const auto fault = [](const DnsTestRecord& record) {
    return ReadSrvRecords(Answer({record})).status().message();
  };
  EXPECT_THAT(fault(SrvTestRecord(0, 0, 0, "pod.example")), HasSubstr("malformed"));  // port
  EXPECT_THAT(fault(SrvTestRecord(0, 0, 80, "evil/x?.example")), HasSubstr("malformed"));
  EXPECT_THAT(fault(SrvTestRecord(0, 0, 80, "a\r\nb.example")), HasSubstr("malformed"));
  EXPECT_THAT(fault({.type = kDnsTypeSrv, .data = {0, 0, 0, 0, 0, 80}}), HasSubstr("malformed"));
  DnsTestRecord too_long = SrvTestRecord(0, 0, 80, "pod.example");
  too_long.data.push_back(0);
  EXPECT_THAT(fault(too_long), HasSubstr("malformed"));
}

TEST(ReadSrvRecords, RefusesNamesThatNeverEnd) {
  // A pointer to itself: after header, question (27 bytes), and the record's 12 + 6.
  DnsTestRecord loop{.type = kDnsTypeSrv, .data = {0, 0, 0, 0, 0, 80, 0xc0, 0}};
  const size_t place = Answer({loop}).size() - 2;
  loop.data.back() = static_cast<uint8_t>(place);
  EXPECT_FALSE(ReadSrvRecords(Answer({loop})).ok());
}

}  // namespace
}  // namespace aio
