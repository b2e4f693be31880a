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

uint64_t Mix(uint64_t x) {  // splitmix64's finaliser
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t HashText(std::string_view text) {  // FNV-1a: the same in every process
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
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

std::string KeyOf(const ReplicaSpec& spec) {
  if (spec.address.empty()) return spec.url;
  return spec.url + "@" + spec.address + ":" + std::to_string(spec.port);
}

ReplicaLease::ReplicaLease(ReplicaSet& set, std::shared_ptr<Replica> replica, int64_t tokens)
    : set_(set), replica_(std::move(replica)), spec_(replica_->spec()), tokens_(tokens) {}

ReplicaLease::~ReplicaLease() {
  const std::lock_guard lock(set_.mutex_);
  replica_->Remove(this, tokens_);
  std::erase_if(set_.retired_, [](const auto& retired) { return retired->running() == 0; });
}

void ReplicaLease::Progress(int64_t tokens) {
  tokens = std::min(tokens, tokens_);
  if (tokens <= 0) return;
  const std::lock_guard lock(set_.mutex_);
  tokens_ -= tokens;
  replica_->Progress(tokens);
}

void ReplicaLease::Succeeded(std::optional<Duration> first_token,
                             std::optional<Duration> per_token) {
  const std::lock_guard lock(set_.mutex_);
  replica_->OnSuccess(set_.now_());
  if (first_token) replica_->first_token_ms().Add(ToMs(*first_token));
  if (per_token) replica_->token_ms().Add(ToMs(*per_token));
  if (set_.IsSlow(*replica_)) replica_->Eject(set_.now_());
}

void ReplicaLease::Failed() {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock(set_.mutex_);
    on_away_ = nullptr;
    if (replica_->OnFailure(set_.now_())) told = ReplicaSet::TakeAwayCallbacks(*replica_);
  }
  for (const auto& tell : told) tell();
}

void ReplicaLease::RefusedFor(Duration retry_after) {
  const std::lock_guard lock(set_.mutex_);
  replica_->OnBusy(set_.now_() + retry_after);
}

ReplicaSet::ReplicaSet(ReplicaSetOptions options, std::function<TimePoint()> now)
    : options_(std::move(options)), now_(std::move(now)), random_(options_.seed) {}

void ReplicaSet::Update(const std::vector<ReplicaSpec>& specs) {
  const std::lock_guard lock(mutex_);
  Replicas next;
  std::set<std::string> listed;
  for (const ReplicaSpec& spec : specs) {
    if (!listed.insert(KeyOf(spec)).second) continue;
    const auto known = std::find_if(replicas_.begin(), replicas_.end(), [&](const auto& replica) {
      return KeyOf(replica->spec()) == KeyOf(spec);
    });
    if (known == replicas_.end()) {
      next.push_back(std::make_shared<Replica>(spec, options_.limits));
    } else {
      (*known)->set_spec(spec);
      next.push_back(*known);
    }
  }
  for (const auto& replica : replicas_) {
    if (listed.contains(KeyOf(replica->spec()))) continue;
    replica->Retire();
    if (replica->running() > 0) retired_.push_back(replica);
  }
  replicas_ = std::move(next);
}

ReplicaSet::Replicas ReplicaSet::Candidates(const ReplicaQuery& query, TimePoint now) const {
  Replicas all = Only(replicas_, [](const auto& replica) { return !replica->spec().draining; });

  // Each of these where it leaves some.
  const auto prefer = [&all](auto keep) {
    Replicas kept = Only(all, keep);
    if (!kept.empty()) all = std::move(kept);
  };
  prefer([&](const auto& replica) { return !IsAmong(query.tried_urls, KeyOf(replica->spec())); });
  prefer([&](const auto& replica) { return replica->state(now) != ReplicaState::kDown; });
  prefer([&](const auto& replica) { return replica->Takes(now); });
  prefer([&](const auto& replica) { return !replica->IsBusy(now); });
  // Last: it changes the answer's speed alone.
  if (!query.strategy.empty()) {
    prefer([&](const auto& replica) { return replica->spec().strategy == query.strategy; });
  }
  return all;
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
  for (const auto& replica : candidates) {
    if (!query.url_with_prompt.empty() && KeyOf(replica->spec()) == query.url_with_prompt) {
      return replica;
    }
  }
  // What comes back gets its trial from the first request that may be tried elsewhere.
  for (const auto& replica : candidates) {
    if (query.tried_urls.empty() && replica->state(now) == ReplicaState::kOnTrial) return replica;
  }
  if (query.affinity != 0) {
    const Replicas near = Only(candidates, [&](const auto& replica) { return IsNear(*replica); });
    for (const Replicas* among : {&near, &candidates}) {
      if (auto chosen = ByAffinity(*among, query, now)) return chosen;
    }
  }
  return ByLoad(candidates, query, now);
}

bool ReplicaSet::IsNear(const Replica& replica) const {
  const std::string& zone = replica.spec().zone;
  return options_.zone.empty() || zone.empty() || zone == options_.zone;
}

// Rendezvous hashing: each request has an order of the replicas of its own, which others that come
// and go do not change. Null: all have more than their share to do.
std::shared_ptr<Replica> ReplicaSet::ByAffinity(const Replicas& candidates,
                                                const ReplicaQuery& query, TimePoint now) const {
  double shares = 0;
  double outstanding = static_cast<double>(query.tokens);
  for (const auto& replica : candidates) {
    shares += replica->Share(now);
    outstanding += static_cast<double>(replica->outstanding_tokens());
  }
  std::shared_ptr<Replica> best;
  double best_score = -1;
  for (const auto& replica : candidates) {
    const double bound = kAffinityBound * outstanding * replica->Share(now) / shares;
    if (static_cast<double>(replica->outstanding_tokens()) > bound) continue;
    const uint64_t hash = Mix(query.affinity ^ HashText(KeyOf(replica->spec())));
    const double u = (static_cast<double>(hash >> 11) + 0.5) / static_cast<double>(1ull << 53);
    const double score = replica->spec().weight / -std::log(u);
    if (score > best_score) std::tie(best, best_score) = std::tie(replica, score);
  }
  return best;
}

// The better of two taken by chance: without all of them going for one that looks best.
std::shared_ptr<Replica> ReplicaSet::ByLoad(const Replicas& candidates, const ReplicaQuery& query,
                                            TimePoint now) {
  if (candidates.size() == 1) return candidates.front();
  const size_t one = random_() % candidates.size();
  size_t other = random_() % (candidates.size() - 1);
  if (other >= one) ++other;
  return Load(*candidates[one], query.tokens, now) <= Load(*candidates[other], query.tokens, now)
             ? candidates[one]
             : candidates[other];
}

double ReplicaSet::Load(const Replica& replica, int64_t tokens, TimePoint now) const {
  const auto load = static_cast<double>(replica.outstanding_tokens() + tokens) / replica.Share(now);
  return IsNear(replica) ? load : load * kOtherZone;
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

void ReplicaSet::OnCheck(const std::string& key, bool well) {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& replica : replicas_) {
      if (KeyOf(replica->spec()) == key && replica->OnCheck(well, now_())) {
        told = TakeAwayCallbacks(*replica);
      }
    }
  }
  for (const auto& tell : told) tell();
}

std::vector<std::function<void()>> ReplicaSet::TakeAwayCallbacks(Replica& replica) {
  std::vector<std::function<void()>> callbacks;
  for (ReplicaLease* lease : replica.leases()) {
    if (lease->on_away_) callbacks.push_back(std::exchange(lease->on_away_, nullptr));
  }
  return callbacks;
}

std::vector<ReplicaSpec> ReplicaSet::specs() const {
  const std::lock_guard lock(mutex_);
  std::vector<ReplicaSpec> specs;
  for (const auto& replica : replicas_) specs.push_back(replica->spec());
  return specs;
}

std::vector<ReplicaReading> ReplicaSet::Readings() const {
  const std::lock_guard lock(mutex_);
  const TimePoint now = now_();
  std::vector<ReplicaReading> readings;
  for (const Replicas* replicas : {&replicas_, &retired_}) {
    for (const auto& replica : *replicas) {
      const ReplicaSpec& spec = replica->spec();
      readings.push_back({.key = KeyOf(spec),
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

bool ReplicaSet::HasReady(const std::vector<std::string>& but) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(replicas_.begin(), replicas_.end(), [&, now = now_()](const auto& replica) {
    return replica->Takes(now) && !IsAmong(but, KeyOf(replica->spec()));
  });
}

}  // namespace aio
