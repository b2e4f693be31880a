#include "eval/probe_queries.h"

#include <fmt/format.h>

#include <cmath>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "backend/probe_head.h"
#include "base/sha256.h"
#include "eval/data_file.h"

namespace aio {

namespace {

using Json = nlohmann::json;

// A row of `key`, or nothing: of another probe (then `ours` is false), or not a row.
std::optional<std::pair<std::string, ProbedQuery>> ParseRow(const Json& row, const std::string& key,
                                                            size_t labels, bool& ours) {
  const auto text = [&](const char* name) -> const std::string* {
    const auto it = row.find(name);
    return it != row.end() && it->is_string() ? it->get_ptr<const std::string*>() : nullptr;
  };
  ours = true;
  if (!row.is_object() || !text("probe") || !text("prompt")) return std::nullopt;
  ours = *text("probe") == key;
  const auto logits = row.find("logits");
  const auto tokens = row.find("prompt_tokens");
  if (!ours || logits == row.end() || !logits->is_array() || logits->size() != labels ||
      tokens == row.end() || !tokens->is_number_integer()) {
    return std::nullopt;
  }
  ProbedQuery query;
  query.prompt_tokens = tokens->get<int>();
  for (const Json& logit : *logits) {
    if (!logit.is_number() || !std::isfinite(logit.get<float>())) return std::nullopt;
    query.logits.push_back(logit.get<float>());
  }
  return std::pair(*text("prompt"), std::move(query));
}

// Answers of the backend, from its threads to the waiting one. Outlives both.
struct Inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::pair<size_t, Result<LabelScores>>> answers;
};

class ProbeRunner {
 public:
  ProbeRunner(Backend& backend, const ProbeRun& run, const std::vector<ProbeJob>& jobs,
              ProbeCache& cache)
      : backend_(backend), run_(run), jobs_(jobs), cache_(cache), results_(jobs.size()) {}

  Result<std::vector<ProbedQuery>> Run() {
    Status status;
    for (size_t i = 0; i < jobs_.size() && status.ok(); ++i) {
      if (const ProbedQuery* known = cache_.Find(jobs_[i].hash)) {
        results_[i] = *known;
        Report();
        continue;
      }
      while (status.ok() && in_flight_ >= run_.in_flight_max) status = TakeAnswer();
      if (status.ok()) status = Start(i);
    }
    // What was started is waited for, even when the run has failed: it holds the engine.
    while (in_flight_ > 0) {
      if (Status answer = TakeAnswer(); status.ok()) status = std::move(answer);
    }
    if (!status.ok()) return status;
    return std::move(results_);
  }

 private:
  Status Start(size_t index) {
    Request request;
    request.id = fmt::format("calibrate-{}", index);
    request.model = run_.model;
    request.prompt = jobs_[index].messages;
    const Result<std::shared_ptr<Ticket>> ticket =
        backend_.ScoreLabels(request, run_.labels, [inbox = inbox_, index](auto scores) {
          // The prompt's KV is of no use here, and would keep others waiting.
          if (scores.ok()) scores->held_prompt.reset();
          const std::lock_guard<std::mutex> lock(inbox->mutex);
          inbox->answers.emplace_back(index, std::move(scores));
          inbox->arrived.notify_one();
        });
    if (!ticket.ok()) return Accept(index, ticket.status());
    ++in_flight_;
    return Status::Ok();
  }

  Status TakeAnswer() {
    std::unique_lock<std::mutex> lock(inbox_->mutex);
    inbox_->arrived.wait(lock, [&] { return !inbox_->answers.empty(); });
    const auto [index, scores] = std::move(inbox_->answers.front());
    inbox_->answers.pop_front();
    lock.unlock();
    --in_flight_;
    return Accept(index, scores);
  }

  Status Accept(size_t index, const Result<LabelScores>& scores) {
    ProbedQuery& query = results_[index];
    if (!scores.ok()) {
      if (scores.status().code() != StatusCode::kInvalidArgument) return scores.status();
      query.fault = scores.status().message();
    } else if (scores->logits.size() != run_.labels.labels.size()) {
      return Internal(
          fmt::format("{} scores for {} labels", scores->logits.size(), run_.labels.labels.size()));
    } else {
      for (const float logit : scores->logits) {
        if (!std::isfinite(logit)) return Internal("a label's score is not a finite number");
      }
      query.logits = scores->logits;
      query.prompt_tokens = scores->prompt_tokens;
      AIO_RETURN_IF_ERROR(cache_.Add(jobs_[index].hash, query));
    }
    Report();
    return Status::Ok();
  }

  void Report() {
    ++done_;
    if (run_.progress) run_.progress(done_);
  }

  Backend& backend_;
  const ProbeRun& run_;
  const std::vector<ProbeJob>& jobs_;
  ProbeCache& cache_;
  std::vector<ProbedQuery> results_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  int in_flight_ = 0;
  size_t done_ = 0;
};

}  // namespace

Result<ProbeCache> ProbeCache::Open(const std::string& path, const std::string& key,
                                    size_t labels) {
  const Result<std::string> text = ReadDataFile(path);
  if (!text.ok() && text.status().code() != StatusCode::kNotFound) return text.status();
  ProbeCache cache = Parse(text.ok() ? std::string_view(*text) : "", key, labels);
  cache.path_ = path;
  // Whether it can be written, before an hour's work goes into it.
  if (!std::ofstream(path, std::ios::app)) {
    return InvalidArgument(path + ": cannot be written; name another file with --cache");
  }
  return cache;
}

ProbeCache ProbeCache::Parse(std::string_view text, const std::string& key, size_t labels) {
  ProbeCache cache;
  cache.key_ = key;
  cache.ends_in_mid_line_ = !text.empty() && text.back() != '\n';
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    bool ours = false;
    auto row = ParseRow(Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false), key,
                        labels, ours);
    if (row) {
      cache.rows_.insert_or_assign(std::move(row->first), std::move(row->second));
    } else if (ours) {
      ++cache.unreadable_lines_;
    }
  }
  return cache;
}

const ProbedQuery* ProbeCache::Find(const std::string& prompt_hash) const {
  const auto it = rows_.find(prompt_hash);
  return it == rows_.end() ? nullptr : &it->second;
}

Status ProbeCache::Add(const std::string& prompt_hash, const ProbedQuery& query) {
  rows_.insert_or_assign(prompt_hash, query);
  if (path_.empty()) return Status::Ok();
  const Json row = {{"probe", key_},
                    {"prompt", prompt_hash},
                    {"logits", query.logits},
                    {"prompt_tokens", query.prompt_tokens}};
  std::ofstream out(path_, std::ios::app | std::ios::binary);
  if (std::exchange(ends_in_mid_line_, false)) out << '\n';
  out << row.dump() << '\n';
  out.flush();
  if (!out) return ResourceExhausted(path_ + ": cannot be written; is its disk full?");
  return Status::Ok();
}

std::string ProbeKey(std::string_view model_fingerprint, const LabelQuery& labels) {
  Json words = Json::array();
  for (const LabelQuery::Label& label : labels.labels) words.push_back({label.name, label.word});
  Json key = {{"model", model_fingerprint},
              {"prefix", labels.prefix},
              {"suffix", labels.suffix},
              {"labels", words},
              {"window_tokens", labels.window_tokens}};
  if (labels.head != nullptr) {
    const ProbeHead& head = *labels.head;
    key["head"] = {{"layers", head.layers}, {"weights", head.weights}, {"bias", head.bias}};
  }
  return Sha256Hex(key.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<std::vector<ProbedQuery>> ProbeAll(Backend& backend, const ProbeRun& run,
                                          const std::vector<ProbeJob>& jobs, ProbeCache& cache) {
  return ProbeRunner(backend, run, jobs, cache).Run();
}

}  // namespace aio
