// Runs one generation from a command: waits, streams, and lets Ctrl-C stop it.
#ifndef AIO_APP_RUN_TO_END_H_
#define AIO_APP_RUN_TO_END_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"

namespace aio {

struct CompletedAnswer {
  StartEvent start;
  std::string text;
  std::vector<TokenLogprob> logprobs;
  FinishEvent finish;
};

// What to do while the answer arrives; empty functions are skipped. Called on the
// backend's thread; what they throw ends the generation and is RunToEnd()'s error.
struct AnswerObserver {
  std::function<void(const StartEvent&)> on_start;
  std::function<void(std::string_view text)> on_text;
};

// Generates and waits for the end. While it waits, SIGINT cancels the generation (the
// answer then ends with kCancelled) instead of ending the program.
Result<CompletedAnswer> RunToEnd(Backend& backend, Request request,
                                 const AnswerObserver& observer = {});

// Decides and waits.
Result<Decision> DecideAndWait(Backend& backend, const Request& request);

}  // namespace aio

#endif  // AIO_APP_RUN_TO_END_H_
