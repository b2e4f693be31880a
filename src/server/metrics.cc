#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <initializer_list>
#include <mutex>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace aio {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

// Routing takes a forward pass of a small model: from 0.1 ms on a GPU to a second on a CPU.
const Buckets& RoutingBuckets() {
  static const Buckets buckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                  0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5};
  return buckets;
}

const Buckets& LatencyBuckets() {
  static const Buckets buckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                  0.5,   1,      2.5,   5,    10,    30,   60,  120};
  return buckets;
}

const Buckets& TokenBuckets() {
  static const Buckets buckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03,
                                  0.04,   0.05,  0.075,  0.1,   0.15, 0.25,  0.5,  1};
  return buckets;
}

// Nats; ln 2 = 0.69 and ln 3 = 1.10 are the ends of two and three labels.
const Buckets& EntropyBuckets() {
  static const Buckets buckets = {0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5,
                                  0.6,  0.7,  0.8, 0.9, 1.0, 1.1, 1.4};
  return buckets;
}

double Seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

// What a backend reads off its models: a family with one reading a model.
struct LoadMetric {
  const char* name;
  const char* help;
  prometheus::MetricType type;
  double (*read)(const ModelLoad&);
};
constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr LoadMetric kLoadMetrics[] = {
    {"aio_num_requests_running", "Sequences that take part in steps", kGauge,
     [](const ModelLoad& m) -> double { return m.running; }},
    {"aio_num_requests_waiting", "Requests accepted, not yet started, and preempted ones", kGauge,
     [](const ModelLoad& m) -> double { return m.waiting; }},
    {"aio_kv_blocks_used", "Blocks of the KV cache that running requests use", kGauge,
     [](const ModelLoad& m) -> double { return static_cast<double>(m.kv_blocks_used); }},
    {"aio_kv_blocks_idle", "Blocks in no use, kept for requests with the same beginning", kGauge,
     [](const ModelLoad& m) -> double { return static_cast<double>(m.kv_blocks_idle); }},
    {"aio_kv_blocks_capacity", "Blocks the KV cache has", kGauge,
     [](const ModelLoad& m) -> double { return static_cast<double>(m.kv_blocks_total); }},
    {"aio_decode_step_seconds", "Of a step that computes one token, as lately measured", kGauge,
     [](const ModelLoad& m) -> double { return m.step_ms / 1000; }},
    {"aio_answer_tokens_per_second", "Of one answer while its model steps, as lately measured",
     kGauge, [](const ModelLoad& m) -> double { return m.tokens_per_second; }},
    {"aio_num_preemptions_total", "Sequences sent back to the queue for want of KV blocks",
     kCounter, [](const ModelLoad& m) -> double { return static_cast<double>(m.preemptions); }},
    {"aio_prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache", kCounter,
     [](const ModelLoad& m) -> double { return static_cast<double>(m.prefix_tokens_asked); }},
    {"aio_prefix_cache_hits_total", "Of these, tokens whose KV was there", kCounter,
     [](const ModelLoad& m) -> double { return static_cast<double>(m.prefix_tokens_found); }},
};

prometheus::MetricFamily Collect(const LoadMetric& metric, const std::vector<ModelLoad>& load) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = metric.type;
  for (const ModelLoad& model : load) {
    prometheus::ClientMetric reading;
    reading.label.push_back({"model", model.name});
    (metric.type == kGauge ? reading.gauge.value : reading.counter.value) = metric.read(model);
    family.metric.push_back(std::move(reading));
  }
  return family;
}

struct ReplicaMetric {
  const char* name;
  const char* help;
  prometheus::MetricType type;
  double (*read)(const ReplicaLoad&);
};
constexpr ReplicaMetric kReplicaMetrics[] = {
    {"aio_replica_ready", "1 where a replica gets requests as it should", kGauge,
     [](const ReplicaLoad& r) -> double { return r.state == "ready" ? 1 : 0; }},
    {"aio_replica_requests_running", "Requests that a replica has", kGauge,
     [](const ReplicaLoad& r) -> double { return r.running; }},
    {"aio_replica_outstanding_tokens", "Tokens that a replica has still to read and to write",
     kGauge,
     [](const ReplicaLoad& r) -> double { return static_cast<double>(r.outstanding_tokens); }},
    {"aio_replica_requests_total", "Requests given to a replica, retries included", kCounter,
     [](const ReplicaLoad& r) -> double { return static_cast<double>(r.requests); }},
    {"aio_replica_failures_total", "Of these, failed by the replica's own fault", kCounter,
     [](const ReplicaLoad& r) -> double { return static_cast<double>(r.failures); }},
    {"aio_replica_ejections_total", "Times that a replica was left alone for a while", kCounter,
     [](const ReplicaLoad& r) -> double { return static_cast<double>(r.ejections); }},
};

prometheus::MetricFamily Collect(const ReplicaMetric& metric, const std::vector<ModelLoad>& load) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = metric.type;
  for (const ModelLoad& model : load) {
    for (const ReplicaLoad& replica : model.replicas) {
      prometheus::ClientMetric reading;
      reading.label = {{"model", model.name}, {"replica", replica.name}};
      (metric.type == kGauge ? reading.gauge.value : reading.counter.value) = metric.read(replica);
      family.metric.push_back(std::move(reading));
    }
  }
  return family;
}

prometheus::MetricFamily ToFamily(const MetricReading& reading) {
  prometheus::MetricFamily family;
  family.name = reading.name;
  family.help = reading.help;
  family.type = reading.is_counter ? kCounter : kGauge;
  return family;
}

void AddTo(prometheus::MetricFamily& family, const MetricReading& reading) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : reading.labels) metric.label.push_back({name, value});
  (reading.is_counter ? metric.counter.value : metric.gauge.value) = reading.value;
  family.metric.push_back(std::move(metric));
}

// Metrics that were found by their labels, which takes longer than to count, kept by a text of
// those.
template <typename Found>
class Cache {
 public:
  template <typename Find>
  Found& Get(std::initializer_list<std::string_view> labels, const Find& find) {
    std::string key;
    for (const std::string_view label : labels) {
      key += label;
      key += '\0';
    }
    std::lock_guard lock(mutex_);
    const auto known = found_.find(key);
    return known != found_.end() ? known->second
                                 : found_.emplace(std::move(key), find()).first->second;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Found> found_;  // as few as there are labels
};

// Of the answers of one model by one strategy.
struct AnswerMetrics {
  Histogram& latency;
  Histogram& per_token;
  Counter& prompt_tokens;
  Counter& cached_tokens;
  Counter& generation_tokens;
  Counter& weight_bytes;
  Counter& kv_bytes;
  Counter& static_large_bytes;
  Counter& drafts;
  Counter& draft_tokens;
  Counter& accepted_tokens;
};

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;

  Family<Counter>& MakeCounter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& MakeHistogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Family<Counter>& requests = MakeCounter("aio_requests_total", "Requests answered");
  Family<Counter>& decisions =
      MakeCounter("aio_decisions_total", "Requests routed, by the decision made");
  Family<Counter>& prompt_tokens =
      MakeCounter("aio_prompt_tokens_total", "Tokens of prompts of finished answers");
  Family<Counter>& cached_tokens =
      MakeCounter("aio_cached_prompt_tokens_total", "Of these, whose KV was there already");
  Family<Counter>& generation_tokens =
      MakeCounter("aio_generation_tokens_total", "Tokens of finished answers");
  Family<Counter>& drafts =
      MakeCounter("aio_spec_decode_num_drafts_total", "Steps that checked guesses");
  Family<Counter>& draft_tokens = MakeCounter("aio_spec_decode_num_draft_tokens_total",
                                              "Guesses that speculative decoding checked");
  Family<Counter>& accepted_tokens =
      MakeCounter("aio_spec_decode_num_accepted_tokens_total", "Of these, kept");
  Family<Counter>& accepted_per_position =
      MakeCounter("aio_spec_decode_num_accepted_tokens_per_pos_total",
                  "Guesses kept, by their place in a step");
  Family<Counter>& weight_bytes =
      MakeCounter("aio_weight_bytes_read_total", "Bytes of weights that finished answers read");
  Family<Counter>& kv_bytes =
      MakeCounter("aio_kv_bytes_read_total", "Bytes of the KV cache that finished answers read");
  Family<Counter>& static_large_bytes =
      MakeCounter("aio_static_large_bytes_total",
                  "Bytes of both that a static large model, decoding plainly, would have read");
  Family<Histogram>& first_token =
      MakeHistogram("aio_time_to_first_token_seconds", "From a request's arrival");
  Family<Histogram>& per_token =
      MakeHistogram("aio_time_per_output_token_seconds", "Mean time between an answer's tokens");
  Family<Histogram>& latency =
      MakeHistogram("aio_e2e_request_latency_seconds", "From a request's arrival to its end");
  Histogram& routing = MakeHistogram("aio_routing_latency_seconds", "Time the routing probe took")
                           .Add({}, RoutingBuckets());
  Histogram& entropy =
      MakeHistogram("aio_entropy", "Entropy of the probe's label distribution, in nats")
          .Add({}, EntropyBuckets());

  Cache<std::reference_wrapper<Counter>> counted_decisions;
  Cache<std::reference_wrapper<Counter>> counted_requests;
  Cache<std::reference_wrapper<Histogram>> first_tokens;
  Cache<AnswerMetrics> answers;

  // Empty `strategy`: no router decided.
  AnswerMetrics& Answers(const std::string& model, std::string_view strategy) {
    return answers.Get({model, strategy}, [&] {
      const prometheus::Labels of_model = {{"model", model}};
      const prometheus::Labels both = {{"model", model}, {"strategy", std::string(strategy)}};
      return AnswerMetrics{.latency = latency.Add(of_model, LatencyBuckets()),
                           .per_token = per_token.Add(of_model, TokenBuckets()),
                           .prompt_tokens = prompt_tokens.Add(of_model),
                           .cached_tokens = cached_tokens.Add(of_model),
                           .generation_tokens = generation_tokens.Add(of_model),
                           .weight_bytes = weight_bytes.Add(both),
                           .kv_bytes = kv_bytes.Add(both),
                           .static_large_bytes = static_large_bytes.Add(both),
                           .drafts = drafts.Add(both),
                           .draft_tokens = draft_tokens.Add(both),
                           .accepted_tokens = accepted_tokens.Add(both)};
    });
  }
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::CountRequest(std::string_view endpoint, int code) {
  const std::string status = std::to_string(code);
  families_->counted_requests
      .Get({endpoint, status},
           [&] {
             return std::ref(
                 families_->requests.Add({{"endpoint", std::string(endpoint)}, {"code", status}}));
           })
      .get()
      .Increment();
}

void Metrics::CountDecision(const Decision& decision) {
  const std::string_view intent = decision.probed ? decision.intent : std::string_view();
  const std::string_view strategy = StrategyName(decision.strategy.kind);
  families_->counted_decisions
      .Get({intent, decision.model, decision.role, strategy, decision.rule},
           [&] {
             return std::ref(families_->decisions.Add({{"intent", std::string(intent)},
                                                       {"model", decision.model},
                                                       {"role", decision.role},
                                                       {"strategy", std::string(strategy)},
                                                       {"rule", decision.rule}}));
           })
      .get()
      .Increment();
  if (!decision.probed) return;
  families_->routing.Observe(decision.probe_ms / 1000);
  families_->entropy.Observe(decision.entropy);
}

void Metrics::ObserveFirstToken(const std::string& model, Duration since_arrival) {
  families_->first_tokens
      .Get({model},
           [&] {
             return std::ref(families_->first_token.Add({{"model", model}}, LatencyBuckets()));
           })
      .get()
      .Observe(Seconds(since_arrival));
}

void Metrics::ObserveAnswer(const StartEvent& start, const FinishEvent& finish,
                            Duration since_arrival, Duration decode) {
  const std::string_view strategy =
      start.decision ? StrategyName(start.decision->strategy.kind) : std::string_view();
  AnswerMetrics& answers = families_->Answers(start.model, strategy);
  const Usage& usage = finish.usage;
  answers.latency.Observe(Seconds(since_arrival));
  if (usage.completion_tokens > 1) {
    answers.per_token.Observe(Seconds(decode) / (usage.completion_tokens - 1));
  }
  answers.prompt_tokens.Increment(usage.prompt_tokens);
  answers.cached_tokens.Increment(usage.cached_prompt_tokens);
  answers.generation_tokens.Increment(usage.completion_tokens);
  const Traffic& traffic = finish.traffic;
  answers.weight_bytes.Increment(static_cast<double>(traffic.weight_bytes));
  answers.kv_bytes.Increment(static_cast<double>(traffic.kv_bytes));
  answers.static_large_bytes.Increment(static_cast<double>(traffic.static_large_bytes));
  const Speculation& speculation = finish.speculation;
  const auto& steps = speculation.steps_by_accepted;
  const int drafts = std::accumulate(steps.begin(), steps.end(), 0);
  answers.drafts.Increment(drafts);
  answers.draft_tokens.Increment(speculation.draft_tokens);
  answers.accepted_tokens.Increment(speculation.draft_accepted_tokens);
  if (drafts == 0) return;
  int kept = drafts;
  for (size_t position = 0; position + 1 < steps.size(); ++position) {
    kept -= steps[position];  // those that kept the guesses before this one and no more
    families_->accepted_per_position
        .Add({{"model", start.model},
              {"strategy", std::string(strategy)},
              {"position", std::to_string(position)}})
        .Increment(kept);
  }
}

std::string Metrics::Text(const std::vector<ModelLoad>& load,
                          const std::vector<MetricReading>& others) const {
  std::vector<prometheus::MetricFamily> families = families_->registry.Collect();
  for (const LoadMetric& metric : kLoadMetrics) families.push_back(Collect(metric, load));
  for (const ReplicaMetric& metric : kReplicaMetrics) {
    prometheus::MetricFamily family = Collect(metric, load);
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  for (const MetricReading& reading : others) {
    if (families.back().name != reading.name) families.push_back(ToFamily(reading));
    AddTo(families.back(), reading);
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace aio
