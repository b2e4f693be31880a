// Runs the probe over many conversations, each once: what was seen is kept in a file.
#ifndef AIO_EVAL_PROBE_QUERIES_H_
#define AIO_EVAL_PROBE_QUERIES_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"

namespace aio {

struct ProbedQuery {
  std::vector<float> logits;  // [labels]; empty: `fault` says why
  int prompt_tokens = 0;
  std::string fault = {};  // the prompt cannot be probed: longer than the context, ...

  bool ok() const { return fault.empty(); }
};

// JSON lines {"probe", "prompt", "logits", "prompt_tokens"}: `probe` stands for model and
// template, `prompt` for the text, both by hash. Rows of other probes stay in the file; lines
// that cannot be read, as after a crash, are counted and left alone. Not thread-safe.
class ProbeCache {
 public:
  // In memory only.
  ProbeCache() = default;
  // Of the probe `key` with so many labels. A file that is not there is made with the first row.
  static Result<ProbeCache> Open(const std::string& path, const std::string& key, size_t labels);
  // The rows of `text`, without a file.
  static ProbeCache Parse(std::string_view text, const std::string& key, size_t labels);

  const ProbedQuery* Find(const std::string& prompt_hash) const;
  // Kept in memory whatever happens to the file.
  Status Add(const std::string& prompt_hash, const ProbedQuery& query);

  size_t size() const { return rows_.size(); }
  int unreadable_lines() const { return unreadable_lines_; }

 private:
  std::string path_;
  std::string key_;
  std::map<std::string, ProbedQuery, std::less<>> rows_;  // by the prompt's hash
  int unreadable_lines_ = 0;
  bool ends_in_mid_line_ = false;
};

// What a cache's rows are of: the model's fingerprint, the template and the words, or the head.
std::string ProbeKey(std::string_view model_fingerprint, const LabelQuery& labels);

struct ProbeJob {
  std::string hash;
  std::vector<ChatMessage> messages;
};

struct ProbeRun {
  std::string model;  // of the backend
  LabelQuery labels;
  int in_flight_max = 8;
  std::function<void(size_t done)> progress;  // may be empty; called on the calling thread
};

// The result of every job, in their order; those the cache has are not asked again. A prompt that
// the model cannot take is a fault of its own; any other fault ends the run. Waits.
Result<std::vector<ProbedQuery>> ProbeAll(Backend& backend, const ProbeRun& run,
                                          const std::vector<ProbeJob>& jobs, ProbeCache& cache);

}  // namespace aio

#endif  // AIO_EVAL_PROBE_QUERIES_H_
