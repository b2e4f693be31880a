#include "telemetry/tracer.h"

#include <utility>
#include <vector>

namespace aio {

TracedRequest Tracer::Start(const std::optional<TraceContext>& client, TimePoint arrival) const {
  TracedRequest traced;
  TraceContext& own = traced.context;
  if (client) {
    own = *client;
  } else {
    own.trace_id = NewTraceId();
    own.sampled = SamplesTrace(own.trace_id, sample_ratio_);
  }
  own.span_id = NewSpanId();
  if (!own.sampled) return traced;
  RequestRecord record;
  record.context = own;
  if (client) record.parent = client->span_id;
  record.arrival = arrival;
  record.arrival_ns = unix_ns_() - (clock_.Now() - arrival).count();
  traced.trace = std::make_shared<RequestTrace>(std::move(record));
  return traced;
}

void Tracer::Follow(const std::string& id, const std::shared_ptr<RequestTrace>& trace, int choice) {
  {
    const std::lock_guard lock(mutex_);
    if (trace->is_over) return;
    if (running_.try_emplace(id, RunningTrace{trace, choice}).second) {
      trace->ids.push_back(id);
      num_running_ = running_.size();
      return;
    }
  }
  trace->SharesId();
}

RunningTrace Tracer::Find(const std::string& id) const {
  if (num_running_ == 0) return {};
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(id);
  return found == running_.end() ? RunningTrace{} : found->second;
}

void Tracer::End(RequestTrace& trace, RequestFacts facts) {
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : trace.ids) running_.erase(id);
    trace.ids.clear();
    trace.is_over = true;
    num_running_ = running_.size();
  }
  if (auto record = trace.End(std::move(facts), clock_.Now())) sink_.Add(std::move(record));
}

}  // namespace aio
