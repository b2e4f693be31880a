// A model that other servers hold, as a Backend: vLLM, SGLang, llama-server and others that speak
// OpenAI's protocol, one replica of it or many.
#ifndef AIO_REMOTE_REMOTE_BACKEND_H_
#define AIO_REMOTE_REMOTE_BACKEND_H_

#include <memory>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "discovery/replica_spec.h"
#include "remote/http_transport.h"
#include "remote/remote_options.h"

namespace aio {

struct RemoteModel;

// Thread-safe. Events and callbacks come on the transport's thread.
//
// What an engine does not say is estimated and said so: a prompt's tokens before it has been read,
// by the ratio of bytes to tokens that the engine's own counts have shown.
//
// Probes: an answer of one token, with its log-probabilities (label_scores.h). The query's suffix
// is plain text, put after the last message: the engine's prefix cache serves the generation, which
// goes to the replica that was asked. A query's prefix, window and head are refused.
class RemoteBackend final : public Backend {
 public:
  // `transport` outlives this. Asks no replica of anything but health. `on_state` may be empty.
  RemoteBackend(RemoteOptions options, HttpTransport& transport,
                ReplicaStateCallback on_state = {});
  // What runs ends with kCancelled; waits for that.
  ~RemoteBackend() override;

  // All replicas there are from now on. Those no longer listed finish what they have.
  void SetReplicas(const std::vector<ReplicaSpec>& replicas);
  std::vector<ReplicaReading> Replicas() const;

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  Status CheckModel(std::string_view name) const;
  // Some engines would cut what is too long.
  Status CheckContext(const Request& request) const;
  int64_t AnswerTokensMax() const;
  Result<std::shared_ptr<Ticket>> Start(const Request& request, Duration whole_timeout,
                                        std::shared_ptr<EventSink> sink);

  const std::shared_ptr<RemoteModel> model_;
};

}  // namespace aio

#endif  // AIO_REMOTE_REMOTE_BACKEND_H_
