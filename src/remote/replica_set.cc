#include "remote/replica_set.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace aio {
namespace {

// A replica takes so much more than its share of the load for the sake of affinity: beyond, the
// next one in the request's own order is as good. (Mirrokni, Thorup, Zadimoghaddam, "Consistent
// Hashing with Bounded Loads", 2016.)
constexpr double kAffinityBound = 1.25;
// Another zone's replica must have so much less to do.
constexpr double kOtherZone = 2;
constexpr std::string_view kPlain = "plain";

// As far as is known.
bool IsPlain(const std::shared_ptr<Replica>& replica) {
  const std::string& strategy = replica->spec().strategy;
  return strategy.empty() || strategy == kPlain;
}

uint64_t Mix(uint64_t x) {  // splitmix64's finaliser
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

bool IsAmong(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

template <typename Keep>
std::vector<std::shared_ptr<Replica>> Only(const std::vector<std::shared_ptr<Replica>>& replicas,
                                           Keep keep) {
  std::vector<std::shared_ptr<Replica>> kept;
  std::copy_if(replicas.begin(), replicas.end(), std::back_inserter(kept), keep);
  return kept;
}

}  // namespace

ReplicaLease::ReplicaLease(ReplicaSet& set, std::shared_ptr<Replica> replica, int64_t tokens)
    : set_(set), replica_(std::move(replica)), spec_(replica_->spec()), tokens_(tokens) {}

ReplicaLease::~ReplicaLease() {
  const std::lock_guard lock(set_.mutex_);
  replica_->Remove(this, tokens_);
  std::erase_if(set_.retired_, [](const auto& retired) { return retired->running() == 0; });
}

void ReplicaLease::Progress(int64_t tokens) {
  const std::lock_guard lock(set_.mutex_);
  tokens = std::min(tokens, tokens_);  // 0 if the answer is longer than was thought
  tokens_ -= tokens;
  replica_->Progress(tokens, set_.now_());
}

void ReplicaLease::NoMore() {
  const std::lock_guard lock(set_.mutex_);
  replica_->Progress(std::exchange(tokens_, 0), replica_->answered_at());
}

void ReplicaLease::Succeeded(std::optional<Duration> first_token,
                             std::optional<Duration> per_token) {
  constexpr std::string_view kSlow = "its answers take several times as long as the others'";
  set_.Change(*replica_, kSlow, [&](TimePoint now) {
    replica_->OnSuccess(this, now);
    // How slow it was before it was ejected has been judged.
    if (replica_->state(now) != ReplicaState::kReady) return false;
    if (first_token) replica_->first_token_ms().Add(ToMs(*first_token));
    if (per_token) replica_->token_ms().Add(ToMs(*per_token));
    if (set_.IsSlow(*replica_)) replica_->Eject(now);
    return false;  // slow as it is, it answers
  });
}

void ReplicaLease::Failed(std::string_view why) {
  set_.Change(*replica_, why, [&](TimePoint now) {
    on_away_ = nullptr;
    return replica_->OnFailure(this, now);
  });
}

void ReplicaLease::Overdue(TimePoint since) {
  constexpr Duration kLeftAlone = std::chrono::seconds(1);
  {
    const std::lock_guard lock(set_.mutex_);
    if (replica_->answered_at() > since) return replica_->OnBusy(set_.now_() + kLeftAlone);
  }
  Failed("it gave no answer to a probe in time");
}

void ReplicaLease::RefusedFor(Duration retry_after) {
  const std::lock_guard lock(set_.mutex_);
  replica_->OnBusy(set_.now_() + retry_after);
}

ReplicaSet::ReplicaSet(ReplicaSetOptions options, std::function<TimePoint()> now,
                       ReplicaStateCallback on_state)
    : options_(std::move(options)),
      now_(std::move(now)),
      on_state_(std::move(on_state)),
      random_(options_.seed) {}

void ReplicaSet::Change(Replica& replica, std::string_view why,
                        const std::function<bool(TimePoint now)>& change) {
  std::vector<std::function<void()>> on_away;
  ReplicaState before{};
  ReplicaState after{};
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = now_();
    before = replica.state(now);
    const bool is_away = change(now);
    after = replica.state(now);
    for (ReplicaLease* lease : replica.leases()) {
      if (is_away && lease->on_away_) on_away.push_back(std::exchange(lease->on_away_, nullptr));
    }
  }
  const bool is_told = after == ReplicaState::kReady || after == ReplicaState::kEjected ||
                       after == ReplicaState::kDown;
  if (after != before && is_told && on_state_) on_state_(replica.key(), after, why);
  for (const auto& tell : on_away) tell();
}

void ReplicaSet::Update(const std::vector<ReplicaSpec>& specs) {
  const std::lock_guard lock(mutex_);
  Replicas next;
  std::set<std::string> listed;
  for (const ReplicaSpec& spec : specs) {
    const std::string key = KeyOf(spec);
    if (!listed.insert(key).second) continue;
    std::shared_ptr<Replica> replica;
    for (const Replicas* known : {&replicas_, &retired_}) {
      const auto found = std::find_if(known->begin(), known->end(),
                                      [&](const auto& other) { return other->key() == key; });
      if (found != known->end()) replica = *found;
    }
    if (replica == nullptr) {
      replica = std::make_shared<Replica>(spec, options_.limits);
    } else {
      replica->set_spec(spec);
    }
    next.push_back(std::move(replica));
  }
  std::erase_if(retired_, [&](const auto& replica) { return listed.contains(replica->key()); });
  for (const auto& replica : replicas_) {
    if (listed.contains(replica->key())) continue;
    replica->Retire();
    if (replica->running() > 0) retired_.push_back(replica);
  }
  replicas_ = std::move(next);
}

// Each wish counts where it leaves some replica, and before those after it: so those are left whose
// wishes, as digits of a number, make the greatest.
ReplicaSet::Replicas ReplicaSet::Candidates(const ReplicaQuery& query, TimePoint now) const {
  const auto wishes_met = [&](const std::shared_ptr<Replica>& replica) {
    unsigned met = 0;
    const auto wish = [&met](bool is_met) { met = met << 1 | (is_met ? 1 : 0); };
    wish(!query.only_plain || IsPlain(replica));
    wish(query.tried_urls.empty() || !IsAmong(query.tried_urls, replica->key()));
    wish(replica->state(now) != ReplicaState::kDown);
    wish(replica->Takes(now));
    wish(!replica->IsBusy(now));
    wish(!query.only_plain || replica->spec().strategy == kPlain);
    wish(query.url_with_prompt.empty() || replica->key() == query.url_with_prompt);
    // Last: it changes the answer's speed alone.
    wish(query.strategy.empty() || replica->spec().strategy == query.strategy);
    return met;
  };
  Replicas best;
  unsigned most = 0;
  for (const auto& replica : replicas_) {
    if (replica->spec().draining) continue;
    const unsigned met = wishes_met(replica);
    if (met < most) continue;
    if (met > most) best.clear();
    most = met;
    best.push_back(replica);
  }
  return best;
}

std::unique_ptr<ReplicaLease> ReplicaSet::Choose(const ReplicaQuery& query) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = now_();
  const std::shared_ptr<Replica> chosen = ChooseAmong(Candidates(query, now), query, now);
  if (chosen == nullptr) return nullptr;
  auto lease = std::unique_ptr<ReplicaLease>(new ReplicaLease(*this, chosen, query.tokens));
  chosen->Add(lease.get(), query.tokens, now);
  return lease;
}

std::shared_ptr<Replica> ReplicaSet::ChooseAmong(const Replicas& candidates,
                                                 const ReplicaQuery& query, TimePoint now) {
  if (candidates.empty()) return nullptr;
  if (candidates.size() == 1) return candidates.front();
  // What comes back gets its trial from the first request that may be tried elsewhere.
  for (const auto& replica : candidates) {
    if (query.tried_urls.empty() && replica->state(now) == ReplicaState::kOnTrial) return replica;
  }
  if (query.affinity != 0) {
    if (auto chosen = ByAffinity(candidates, query, now)) return chosen;
  }
  return ByLoad(candidates, query, now);
}

bool ReplicaSet::IsNear(const Replica& replica) const {
  const std::string& zone = replica.spec().zone;
  return options_.zone.empty() || zone.empty() || zone == options_.zone;
}

// Another zone's has less of the load, for the same weight.
double ReplicaSet::ZoneShare(const Replica& replica, TimePoint now) const {
  return IsNear(replica) ? replica.Share(now) : replica.Share(now) / kOtherZone;
}

// Rendezvous hashing: each request has an order of the replicas of its own, which others that come
// and go do not change, those of our zone before all others. Null: all have more than their share
// to do.
std::shared_ptr<Replica> ReplicaSet::ByAffinity(const Replicas& candidates,
                                                const ReplicaQuery& query, TimePoint now) const {
  double shares = 0;
  double outstanding = static_cast<double>(query.tokens);
  for (const auto& replica : candidates) {
    shares += ZoneShare(*replica, now);
    outstanding += static_cast<double>(replica->outstanding_tokens());
  }
  std::shared_ptr<Replica> best;
  std::pair<bool, double> best_score{false, -1};  // near, score
  for (const auto& replica : candidates) {
    const double bound = kAffinityBound * outstanding * ZoneShare(*replica, now) / shares;
    if (static_cast<double>(replica->outstanding_tokens()) > bound) continue;
    const uint64_t hash = Mix(query.affinity ^ replica->key_hash());
    const double u = (static_cast<double>(hash >> 11) + 0.5) / static_cast<double>(1ull << 53);
    const std::pair score{IsNear(*replica), replica->spec().weight / -std::log(u)};
    if (score > best_score) std::tie(best, best_score) = std::tie(replica, score);
  }
  return best;
}

// The better of two taken by chance, without all of them going for one that looks best: one of our
// zone, if it has any, and any other.
std::shared_ptr<Replica> ReplicaSet::ByLoad(const Replicas& candidates, const ReplicaQuery& query,
                                            TimePoint now) {
  const Replicas near = Only(candidates, [&](const auto& replica) { return IsNear(*replica); });
  const Replicas& first = near.empty() ? candidates : near;
  const auto& one = first[random_() % first.size()];
  const auto& taken = candidates[random_() % (candidates.size() - 1)];
  const auto& other = taken == one ? candidates.back() : taken;
  return Load(*one, query.tokens, now) <= Load(*other, query.tokens, now) ? one : other;
}

double ReplicaSet::Load(const Replica& replica, int64_t tokens, TimePoint now) const {
  return static_cast<double>(replica.outstanding_tokens() + tokens) / ZoneShare(replica, now);
}

// Against the others that are as well known, of which there must be as many as are slow.
bool ReplicaSet::IsSlow(Replica& suspect) const {
  const ReplicaLimits& limits = options_.limits;
  size_t well = 0;
  for (const auto& replica : replicas_) well += replica->state(now_()) == ReplicaState::kReady;
  if (well < 2 || well * 2 <= replicas_.size()) return false;
  const auto is_slow = [&](MovingAverage& (Replica::*average)()) {
    const MovingAverage& own = (suspect.*average)();
    if (own.samples() < limits.slow_samples_min) return false;
    std::vector<double> others;
    for (const auto& replica : replicas_) {
      const MovingAverage& other = ((*replica).*average)();
      if (replica.get() == &suspect || other.samples() < limits.slow_samples_min) continue;
      others.push_back(other.value());
    }
    if (others.empty()) return false;
    const auto middle = others.begin() + static_cast<std::ptrdiff_t>((others.size() - 1) / 2);
    std::nth_element(others.begin(), middle, others.end());
    return own.value() > limits.slow_factor * *middle &&
           own.value() > *middle + ToMs(limits.slow_least);
  };
  return is_slow(&Replica::first_token_ms) || is_slow(&Replica::token_ms);
}

void ReplicaSet::OnCheck(const std::string& key, bool well, std::string_view why) {
  std::shared_ptr<Replica> checked;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& replica : replicas_) {
      if (replica->key() == key) checked = replica;
    }
  }
  if (checked == nullptr) return;
  Change(*checked, why, [&](TimePoint now) { return checked->OnCheck(well, now); });
}

std::vector<ReplicaSpec> ReplicaSet::specs() const {
  const std::lock_guard lock(mutex_);
  std::vector<ReplicaSpec> specs;
  for (const auto& replica : replicas_) specs.push_back(replica->spec());
  return specs;
}

std::vector<ReplicaReading> ReplicaSet::Readings() const {
  std::vector<ReplicaReading> readings;
  Replicas read;
  std::unique_lock lock(mutex_);
  const TimePoint now = now_();
  for (const Replicas* replicas : {&replicas_, &retired_}) {
    for (const auto& replica : *replicas) {
      const ReplicaSpec& spec = replica->spec();
      read.push_back(replica);
      readings.push_back({.key = {},
                          .strategy = spec.strategy,
                          .zone = spec.zone,
                          .state = replica->state(now),
                          .running = replica->running(),
                          .outstanding_tokens = replica->outstanding_tokens(),
                          .requests = replica->requests(),
                          .failures = replica->failures(),
                          .ejections = replica->ejections(),
                          .first_token_ms = replica->first_token_ms().value(),
                          .token_ms = replica->token_ms().value()});
    }
  }
  // Every request asks for these, and every token takes the lock: what takes long is done without.
  lock.unlock();
  for (size_t i = 0; i < read.size(); ++i) readings[i].key = read[i]->key();
  return readings;
}

std::vector<std::string> ReplicaSet::Strategies() const {
  const std::lock_guard lock(mutex_);
  const TimePoint now = now_();
  std::set<std::string> names;
  for (const auto& replica : replicas_) {
    if (!replica->spec().strategy.empty() && replica->Takes(now)) {
      names.insert(replica->spec().strategy);
    }
  }
  return {names.begin(), names.end()};
}

bool ReplicaSet::HasReady(const std::vector<std::string>& but, bool only_plain) const {
  const std::lock_guard lock(mutex_);
  const bool some_are_plain =
      only_plain && std::any_of(replicas_.begin(), replicas_.end(), IsPlain);
  return std::any_of(replicas_.begin(), replicas_.end(), [&, now = now_()](const auto& replica) {
    return replica->Takes(now) && !IsAmong(but, replica->key()) &&
           (!some_are_plain || IsPlain(replica));
  });
}

}  // namespace aio
