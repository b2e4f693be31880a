#include <utility>

#include "api/error_object.h"
#include "api/openai_response.h"

namespace aio {
namespace {

class OpenaiEncoder final : public AnswerEncoder {
 public:
  OpenaiEncoder(AnswerInfo info, bool with_logprobs, int choices)
      : info_(std::move(info)),
        with_logprobs_(with_logprobs),
        running_(choices),
        stream_(info_, choices) {}

  std::string Whole(const StartEvent& start, const std::vector<WholeAnswer>& choices,
                    const FinishEvent& total) override {
    info_.start = start;
    return EncodeAnswer(info_, choices, with_logprobs_, total);
  }

  std::string Start(const StartEvent& start) override {
    info_.start = start;
    const int choices = running_;
    stream_ = StreamEncoder(info_, choices);
    std::string bytes;
    for (int choice = 0; choice < choices; ++choice) bytes += SseEvent(stream_.First(choice));
    return bytes;
  }

  std::string Delta(int choice, const TokenEvent& event) override {
    const std::string chunk = stream_.Delta(event, choice);
    return chunk.empty() ? "" : SseEvent(chunk);
  }

  std::string End(int choice, const FinishEvent& finish) override {
    last_ = choice;
    if (--running_ == 0) return "";  // Finish() says so, with the totals
    return SseEvent(stream_.End(finish.reason, choice));
  }

  std::string Finish(const FinishEvent& total) override {
    std::string bytes;
    for (const std::string& chunk : stream_.Last(total, last_)) bytes += SseEvent(chunk);
    bytes += kSseDone;
    return bytes;
  }

  // OpenAI's clients raise an error on such an event.
  std::string Fail(const Status& status) override { return SseEvent(EncodeError(status)); }

 private:
  AnswerInfo info_;
  const bool with_logprobs_;
  int running_;   // choices that have not ended
  int last_ = 0;  // the choice that ended last
  StreamEncoder stream_;
};

}  // namespace

std::unique_ptr<AnswerEncoder> MakeOpenaiEncoder(AnswerInfo info, bool with_logprobs, int choices) {
  return std::make_unique<OpenaiEncoder>(std::move(info), with_logprobs, choices);
}

}  // namespace aio
