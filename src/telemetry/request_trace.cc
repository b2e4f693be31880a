#include "telemetry/request_trace.h"

namespace aio {

void RequestTrace::Asked(TimePoint now) {
  With([&](RequestRecord& record) { record.asked = now; });
}

void RequestTrace::Admitted(TimePoint now) {
  With([&](RequestRecord& record) {
    if (!record.admitted) record.admitted = now;  // further choices are let in by themselves
  });
}

void RequestTrace::SharesId() {
  With([](RequestRecord& record) { record.shares_id = true; });
}

size_t RequestTrace::ProbeBegan(std::string model, TimePoint now) {
  size_t number = 0;
  With([&](RequestRecord& record) {
    number = record.probes.size();
    ProbeRecord& probe = record.probes.emplace_back();
    probe.model = std::move(model);
    probe.begin = now;
  });
  return number;
}

void RequestTrace::ProbeEnded(size_t probe, TimePoint now, const Result<LabelScores>& scores) {
  With([&](RequestRecord& record) {
    ProbeRecord& ended = record.probes.at(probe);
    ended.end = now;
    ended.status = scores.status();
    if (!scores.ok()) return;
    ended.tokens = scores->probe_tokens;
    ended.traffic = scores->traffic;
  });
}

size_t RequestTrace::GenerationBegan(std::string model, int choice, TimePoint now) {
  size_t number = 0;
  With([&](RequestRecord& record) {
    number = record.generations.size();
    GenerationRecord& generation = record.generations.emplace_back();
    generation.model = std::move(model);
    generation.choice = choice;
    generation.asked = now;
  });
  return number;
}

void RequestTrace::GenerationStarted(size_t generation) {
  With([&](RequestRecord& record) { record.generations.at(generation).started = true; });
}

void RequestTrace::FirstToken(size_t generation, TimePoint now) {
  With([&](RequestRecord& record) { record.generations.at(generation).first_token = now; });
}

void RequestTrace::GenerationEnded(size_t generation, TimePoint now, const FinishEvent& finish) {
  With([&](RequestRecord& record) {
    record.generations.at(generation).end = now;
    record.generations.at(generation).finish = finish;
  });
}

void RequestTrace::GenerationFailed(size_t generation, TimePoint now, const Status& error) {
  With([&](RequestRecord& record) {
    record.generations.at(generation).end = now;
    record.generations.at(generation).error = error;
  });
}

std::unique_ptr<const RequestRecord> RequestTrace::End(RequestFacts facts, TimePoint now) {
  std::unique_ptr<RequestRecord> record;
  {
    const std::lock_guard lock(mutex_);
    record = std::move(record_);
  }
  if (record == nullptr) return nullptr;
  record->end = now;
  record->facts = std::move(facts);
  return record;
}

}  // namespace aio
