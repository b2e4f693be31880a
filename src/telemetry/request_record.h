// What is known of one request when it has ended: the log's line and the trace's spans are made of
// it. Plain data; never the text of a prompt or an answer.
#ifndef AIO_TELEMETRY_REQUEST_RECORD_H_
#define AIO_TELEMETRY_REQUEST_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/events.h"
#include "base/clock.h"
#include "base/status.h"
#include "telemetry/trace_context.h"

namespace aio {

// What was asked, in the terms of the server that was asked.
struct QuestionFacts {
  std::string_view operation =
      {};                  // "chat", "text_completion", "embeddings"; a literal; empty: none
  std::string model = {};  // as the client says: "auto"
  bool stream = false;
  int choices = 1;
  std::optional<int> max_tokens = {};
  std::optional<float> temperature = {};
  std::optional<float> top_p = {};
  std::optional<uint64_t> seed = {};  // the client's own
  bool json = false;                  // the answer is to be JSON
  std::string session = {};           // Request::session
};

struct RequestFacts {
  std::string id = {};
  std::string method = {};      // "POST"; printable, as the next
  std::string path = {};        // as sent, cut
  std::string_view route = {};  // a literal, of few: "/v1/chat/completions"; "other": none
  std::string key = {};         // the API key's name; empty: none
  int status = 0;               // of HTTP; 499: the client left
  QuestionFacts question = {};
  // The answer, as far as it came. `model` is empty if none began.
  std::string model = {};
  std::optional<Decision> decision = {};
  int prompt_tokens = 0;
  int completion_tokens = 0;
  std::optional<Duration> first_token = {};       // since the request's arrival
  std::optional<FinishEvent> finish = {};         // of all choices together
  std::vector<FinishReason> finish_reasons = {};  // one a choice that ended
  Status failure = {};                            // what the client was told, if it was a failure
};

// One look of the probe.
struct ProbeRecord {
  std::string model = {};
  TimePoint begin{};
  std::optional<TimePoint> end = {};
  int tokens = 0;
  Traffic traffic = {};
  Status status = {};
};

// One generation on one model: a cascade has two of them, and each choice its own.
struct GenerationRecord {
  std::string model = {};
  int choice = 0;
  TimePoint asked{};
  std::optional<TimePoint> first_token = {};
  std::optional<TimePoint> end = {};
  bool started = false;
  std::optional<FinishEvent> finish = {};  // as the model told it; absent: it failed, or goes on
  Status error = {};
};

// A request that is traced.
struct RequestRecord {
  TraceContext context = {};  // of the request's own span
  SpanId parent{};            // zeros: the request began the trace
  int64_t arrival_ns = 0;     // Unix time
  TimePoint arrival{};        // the same moment
  TimePoint end{};
  std::optional<TimePoint> asked = {};     // given to the queue
  std::optional<TimePoint> admitted = {};  // left it
  std::vector<ProbeRecord> probes = {};
  std::vector<GenerationRecord> generations = {};
  // Another request with the same id ran at the same time, so that its phases are not known.
  bool shares_id = false;
  RequestFacts facts = {};
};

// "small", "large-w8a16+prompt_lookup": role, weights and strategy, as `aio eval --arm` has it.
std::string ArmOf(const Decision& decision);

}  // namespace aio

#endif  // AIO_TELEMETRY_REQUEST_RECORD_H_
