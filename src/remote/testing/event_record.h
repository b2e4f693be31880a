// What a sink has been told, in order, for tests.
#ifndef AIO_REMOTE_TESTING_EVENT_RECORD_H_
#define AIO_REMOTE_TESTING_EVENT_RECORD_H_

#include <string>
#include <vector>

#include "backend/backend.h"

namespace aio {

class EventRecord final : public EventSink {
 public:
  void OnStart(const StartEvent& event) override {
    ++starts;
    start = event;
    if (ends() > 0) after_end = true;
  }
  void OnToken(const TokenEvent& event) override {
    text += event.text;
    for (const ToolCall& call : event.tool_calls) calls.push_back(call);
    for (const TokenLogprob& logprob : event.logprobs) logprobs.push_back(logprob);
    if (ends() > 0 || starts == 0) after_end = true;
  }
  void OnFinish(const FinishEvent& event) override {
    if (ends() > 0 || starts == 0) after_end = true;
    ++finishes;
    finish = event;
  }
  void OnError(const Status& status) override {
    if (ends() > 0) after_end = true;
    ++errors;
    error = status;
  }

  int ends() const { return finishes + errors; }

  int starts = 0;
  int finishes = 0;
  int errors = 0;
  bool after_end = false;  // something came after the end, or before the start
  std::string text;
  StartEvent start;
  FinishEvent finish;
  Status error;
  std::vector<ToolCall> calls;
  std::vector<TokenLogprob> logprobs;
};

}  // namespace aio

#endif  // AIO_REMOTE_TESTING_EVENT_RECORD_H_
