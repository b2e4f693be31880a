#include "remote/replica.h"

#include <algorithm>
#include <utility>

namespace aio {
namespace {

uint64_t HashText(std::string_view text) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace

std::string KeyOf(const ReplicaSpec& spec) {
  if (spec.address.empty()) return spec.url;
  return spec.url + "@" + spec.address + ":" + std::to_string(spec.port);
}

Replica::Replica(ReplicaSpec spec, const ReplicaLimits& limits)
    : spec_(std::move(spec)), key_(KeyOf(spec_)), key_hash_(HashText(key_)), limits_(limits) {}

std::string_view ReplicaStateName(ReplicaState state) {
  switch (state) {
    case ReplicaState::kReady:
      return "ready";
    case ReplicaState::kOnTrial:
      return "trial";
    case ReplicaState::kEjected:
      return "ejected";
    case ReplicaState::kDown:
      return "down";
    case ReplicaState::kDraining:
      return "draining";
  }
  return "";
}

ReplicaState Replica::state(TimePoint now) const {
  if (spec_.draining) return ReplicaState::kDraining;
  if (is_down_) return ReplicaState::kDown;
  if (!is_ejected_) return ReplicaState::kReady;
  return now < ejected_until_ ? ReplicaState::kEjected : ReplicaState::kOnTrial;
}

bool Replica::Takes(TimePoint now) const {
  const ReplicaState now_is = state(now);
  return now_is == ReplicaState::kReady || (now_is == ReplicaState::kOnTrial && trial_ == nullptr);
}

double Replica::Share(TimePoint now) const {
  if (now >= slow_until_) return spec_.weight;
  constexpr double kLeast = 0.1;
  const double left = ToMs(slow_until_ - now) / ToMs(limits_.slow_start);
  return spec_.weight * std::max(kLeast, 1 - left);
}

void Replica::Add(ReplicaLease* lease, int64_t tokens, TimePoint now) {
  leases_.insert(lease);
  outstanding_tokens_ += tokens;
  ++requests_;
  if (state(now) == ReplicaState::kOnTrial && trial_ == nullptr) trial_ = lease;
}

void Replica::Remove(ReplicaLease* lease, int64_t tokens) {
  leases_.erase(lease);
  outstanding_tokens_ -= tokens;
  if (trial_ == lease) trial_ = nullptr;
}

void Replica::OnSuccess(const ReplicaLease* lease, TimePoint now) {
  answered_at_ = now;
  failures_in_row_ = 0;
  if (is_ejected_ && lease == trial_) ComeBack(now);
}

bool Replica::OnFailure(const ReplicaLease* lease, TimePoint now) {
  ++failures_;
  if (is_ejected_) {
    if (lease != trial_) return false;
  } else if (++failures_in_row_ < limits_.failures_max) {
    return false;
  }
  Eject(now);
  return true;
}

void Replica::Eject(TimePoint now) {
  constexpr int kDoublingsMax = 16;
  // What it has done well for long is forgiven: this is a short one again.
  if (back_at_ && now - *back_at_ > limits_.ejection_max) ejections_in_row_ = 0;
  const Duration time =
      limits_.ejection * (int64_t{1} << std::min(ejections_in_row_, kDoublingsMax));
  ejected_until_ = now + std::min(time, limits_.ejection_max);
  is_ejected_ = true;
  trial_ = nullptr;
  ++ejections_in_row_;
  ++ejections_;
  failures_in_row_ = 0;
  first_token_ms_.Clear();
  token_ms_.Clear();
}

bool Replica::OnCheck(bool well, TimePoint now) {
  if (!well) {
    if (++failed_checks_ < limits_.failed_checks_max || is_down_) return false;
    is_down_ = true;
    return true;
  }
  failed_checks_ = 0;
  if (!is_down_) return false;
  is_down_ = false;
  ComeBack(now);
  return false;
}

void Replica::ComeBack(TimePoint now) {
  is_ejected_ = false;
  trial_ = nullptr;
  failures_in_row_ = 0;
  slow_until_ = now + limits_.slow_start;
  back_at_ = now;
}

}  // namespace aio
