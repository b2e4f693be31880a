#include "eval/decide_all.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

// Shared with the callbacks.
struct Progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::optional<Result<Decision>>> decisions;  // [texts]
  size_t done = 0;
};

Request ToRequest(const std::string& text) {
  Request request;
  request.id = "suite";
  request.model = "auto";
  request.prompt = std::vector<ChatMessage>{{"user", text}};
  return request;
}

void Record(Progress& progress, size_t i, Result<Decision> decision) {
  const std::lock_guard lock(progress.mutex);
  progress.decisions[i] = std::move(decision);
  ++progress.done;
  progress.changed.notify_one();
}

size_t WaitUntil(Progress& progress, size_t done) {
  std::unique_lock lock(progress.mutex);
  progress.changed.wait(lock, [&] { return progress.done >= done; });
  return progress.done;
}

}  // namespace

std::vector<Result<Decision>> DecideAll(Backend& router, const std::vector<std::string>& texts,
                                        const DecideAllOptions& options) {
  AIO_CHECK(options.in_flight_max >= 1);
  const auto in_flight_max = static_cast<size_t>(options.in_flight_max);
  const auto progress = std::make_shared<Progress>();
  progress->decisions.resize(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i >= in_flight_max) {
      const size_t done = WaitUntil(*progress, i - in_flight_max + 1);
      if (options.progress) options.progress(done);
    }
    const Status status = router.Decide(
        ToRequest(texts[i]),
        [progress, i](Result<Decision> decision) { Record(*progress, i, std::move(decision)); });
    if (!status.ok()) Record(*progress, i, status);
  }
  WaitUntil(*progress, texts.size());
  if (options.progress) options.progress(texts.size());

  std::vector<Result<Decision>> decisions;
  decisions.reserve(texts.size());
  for (auto& decision : progress->decisions) decisions.push_back(*std::move(decision));
  return decisions;
}

}  // namespace aio
