// Replicas from the records of a name.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "discovery/dns_answer.h"
#include "discovery/dns_client.h"
#include "discovery/replica_source.h"
#include "discovery/replica_url.h"

namespace aio {
namespace {

// What is known of one kind of record of a name. Faults keep it; so does, for a while, that there
// are none: a name server that has just been started may know less than it will.
template <typename T>
class KnownRecords {
 public:
  KnownRecords(const Clock& clock, Duration absence_max)
      : clock_(clock), absence_max_(absence_max) {}

  const std::vector<T>& records() const { return records_; }
  // Whether records or their absence are known at all.
  bool known() const { return known_; }

  void Take(const Result<std::vector<T>>& answer) {
    if (answer.ok()) {
      records_ = answer.value();
      known_ = true;
      absent_since_.reset();
    } else if (answer.status().code() == StatusCode::kNotFound) {
      if (!absent_since_) absent_since_ = clock_.Now();
      if (clock_.Now() - *absent_since_ < absence_max_) return;
      records_.clear();
      known_ = true;
    } else {
      absent_since_.reset();  // it is counted anew from when servers answer again
    }
  }

 private:
  const Clock& clock_;
  const Duration absence_max_;
  std::vector<T> records_;
  bool known_ = false;
  std::optional<TimePoint> absent_since_;
};

// The records of an answer about `name`; kNotFound if it has none of them.
template <typename T>
Result<std::vector<T>> RecordsOf(const DnsAnswer& answer, const std::string& name,
                                 Result<std::vector<T>> (*read)(std::span<const uint8_t>)) {
  if (!answer.ok()) return answer.status();
  Result<std::vector<T>> records = read(*answer);
  if (!records.ok()) return Status(records.status()).WithContext("'" + name + "'");
  if (records->empty())
    return NotFound(fmt::format("'{}' has no records that could be used", name));
  return records;
}

ReplicaSpec WithDefaults(const DiscoverySettings& settings) {
  ReplicaSpec replica;
  replica.weight = settings.weight;
  replica.zone = settings.zone;
  replica.strategy = settings.strategy;
  return replica;
}

// Each address of a host is a replica.
class DnsSource final : public PollingSource {
 public:
  DnsSource(const DiscoverySettings& settings, const ReplicaUrl& url, const DnsClient& client,
            const Clock& clock)
      : PollingSource(settings.interval),
        defaults_(WithDefaults(settings)),
        url_(url),
        client_(client),
        families_{KnownRecords<std::string>(clock, settings.absence_max),
                  KnownRecords<std::string>(clock, settings.absence_max)} {
    defaults_.url = settings.name;
  }

 protected:
  Status Look(ReplicaFeed& feed, const std::stop_token& stop) override {
    if (IsIpAddress(url_.host)) {
      feed.Publish({defaults_});
      return Status::Ok();
    }
    // A host has addresses of one family or of both. That it has none of one is no fault.
    Status fault;
    Status absence;
    int answered = 0;
    const std::vector<DnsAnswer> answers = client_.Ask(url_.host, kTypes, stop);
    if (stop.stop_requested()) return Status::Ok();
    for (size_t i = 0; i < families_.size(); ++i) {
      const auto addresses = RecordsOf<std::string>(answers[i], url_.host, ReadAddressRecords);
      asked_[i] = addresses;
      if (addresses.ok()) {
        ++answered;
      } else {
        (addresses.status().code() == StatusCode::kNotFound ? absence : fault) = addresses.status();
      }
    }
    TakeAnswers(answered > 0);
    if (answered > 0 || (families_[0].known() && families_[1].known())) feed.Publish(Replicas());
    if (!fault.ok()) return fault;
    return answered > 0 ? Status::Ok() : absence;
  }

 private:
  using Addresses = Result<std::vector<std::string>>;
  static constexpr std::array<DnsRecordType, 2> kTypes = {DnsRecordType::kA, DnsRecordType::kAaaa};

  // Where one family is there, the other's absence is believed at once: the name exists.
  void TakeAnswers(bool some) {
    for (size_t i = 0; i < families_.size(); ++i) {
      const bool absent = asked_[i].status().code() == StatusCode::kNotFound;
      families_[i].Take(some && absent ? Addresses(std::vector<std::string>{}) : asked_[i]);
    }
  }

  std::vector<ReplicaSpec> Replicas() const {
    std::vector<ReplicaSpec> replicas;
    for (const auto& family : families_) {
      for (const std::string& address : family.records()) {
        replicas.push_back(defaults_);
        replicas.back().address = address;
      }
    }
    return replicas;
  }

  ReplicaSpec defaults_;
  const ReplicaUrl url_;
  DnsClient client_;
  std::array<KnownRecords<std::string>, 2> families_;
  std::array<Addresses, 2> asked_ = {Addresses(Status(StatusCode::kCancelled, "")),
                                     Addresses(Status(StatusCode::kCancelled, ""))};
};

// Each SRV record of the lowest priority is a replica.
class SrvSource final : public PollingSource {
 public:
  SrvSource(const DiscoverySettings& settings, ReplicaUrl url, const DnsClient& client,
            const Clock& clock)
      : PollingSource(settings.interval),
        defaults_(WithDefaults(settings)),
        url_(std::move(url)),
        client_(client),
        known_(clock, settings.absence_max) {}

 protected:
  Status Look(ReplicaFeed& feed, const std::stop_token& stop) override {
    const std::vector<DnsAnswer> answers = client_.Ask(url_.host, kTypes, stop);
    if (stop.stop_requested()) return Status::Ok();
    const auto records = RecordsOf<SrvRecord>(answers.front(), url_.host, ReadSrvRecords);
    known_.Take(records);
    if (known_.known()) feed.Publish(Replicas());
    return records.status();
  }

 private:
  static constexpr std::array<DnsRecordType, 1> kTypes = {DnsRecordType::kSrv};

  std::vector<ReplicaSpec> Replicas() const {
    std::vector<ReplicaSpec> replicas;
    int lowest = UINT16_MAX;
    for (const SrvRecord& record : known_.records()) lowest = std::min(lowest, record.priority);
    for (const SrvRecord& record : known_.records()) {
      if (record.priority != lowest || record.target.empty()) continue;
      ReplicaUrl url = url_;
      url.host = record.target;
      url.port = std::to_string(record.port);
      ReplicaSpec& replica = replicas.emplace_back(defaults_);
      replica.url = JoinReplicaUrl(url);
      replica.weight = WeightOf(record);
    }
    return replicas;
  }

  // Weights of SRV are 16 bits of which only the relations count. 0 is "a very small chance" (RFC
  // 2782), which it is not where all are 0.
  double WeightOf(const SrvRecord& record) const {
    constexpr double kOfZero = 0.1;
    const bool all_zero = std::all_of(known_.records().begin(), known_.records().end(),
                                      [](const SrvRecord& r) { return r.weight == 0; });
    if (all_zero) return defaults_.weight;
    return defaults_.weight * (record.weight > 0 ? record.weight : kOfZero);
  }

  const ReplicaSpec defaults_;
  const ReplicaUrl url_;
  DnsClient client_;
  KnownRecords<SrvRecord> known_;
};

}  // namespace

Result<std::unique_ptr<ReplicaSource>> MakeDnsSource(const DiscoverySettings& settings,
                                                     const Clock& clock) {
  AIO_RETURN_IF_ERROR(CheckReplicaUrl(settings.name));
  AIO_ASSIGN_OR_RETURN(const ReplicaUrl url, SplitReplicaUrl(settings.name));
  AIO_ASSIGN_OR_RETURN(const DnsClient client,
                       DnsClient::Create(settings.dns_server, settings.dns_search));
  return std::unique_ptr<ReplicaSource>(std::make_unique<DnsSource>(settings, url, client, clock));
}

Result<std::unique_ptr<ReplicaSource>> MakeSrvSource(const DiscoverySettings& settings,
                                                     const Clock& clock) {
  AIO_ASSIGN_OR_RETURN(ReplicaUrl url, SplitReplicaUrl(settings.name));
  if (!url.port.empty()) {
    return InvalidArgument(fmt::format("'{}' has a port, which SRV records tell; leave out ':{}'",
                                       settings.name, url.port));
  }
  if (IsIpAddress(url.host)) {
    return InvalidArgument(fmt::format(
        "'{}' is no name with SRV records; write http://_http._tcp.NAME", settings.name));
  }
  AIO_ASSIGN_OR_RETURN(const DnsClient client,
                       DnsClient::Create(settings.dns_server, settings.dns_search));
  return std::unique_ptr<ReplicaSource>(
      std::make_unique<SrvSource>(settings, std::move(url), client, clock));
}

}  // namespace aio
