// A server that speaks OpenAI's chat completions as a Backend, as far as putting load on it needs:
// Generate() and little else.
#ifndef AIO_TRAFFIC_HTTP_BACKEND_H_
#define AIO_TRAFFIC_HTTP_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct HttpBackendOptions {
  std::string url;      // "http://host:8080", with or without a path such as "/v1"; https too
  std::string api_key;  // empty: none is sent
  Duration connect_timeout = std::chrono::seconds(10);
  // An answer of which nothing has come for so long is given up.
  Duration silence_max = std::chrono::minutes(10);
};

// Thread-safe. Events come from a thread of its own, which drives all transfers at once. Of each
// TokenEvent the number of tokens is not known, nor are their ids: one is assumed until the usage
// at the end tells how many there were.
class HttpBackend final : public Backend {
 public:
  // kInvalidArgument if the URL cannot be one. Does not connect.
  static Result<std::unique_ptr<HttpBackend>> Create(HttpBackendOptions options);
  // What runs ends with kUnavailable.
  ~HttpBackend() override;

  std::vector<ModelInfo> Models() const override { return {}; }
  std::vector<ModelLoad> Load() const override { return {}; }
  // Asks for an answer of one token and reads what the server counted; waits for it, so not from a
  // sink.
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  class Impl;
  explicit HttpBackend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_HTTP_BACKEND_H_
