// One streamed answer on its way: bytes of an engine's response in, events out.
#ifndef AIO_REMOTE_ANSWER_READER_H_
#define AIO_REMOTE_ANSWER_READER_H_

#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "remote/answer_chunk.h"
#include "remote/sse_reader.h"

namespace aio {

// Used by one thread at a time. Events come as EventSink has them, OnStart() not before there is
// something to tell: text, a call, the end. Of each TokenEvent the number of tokens is not known,
// nor are their ids: one is assumed until the usage at the end tells how many there were. Calls of
// tools are told whole, before the end.
class AnswerReader {
 public:
  // `sink` outlives this.
  explicit AnswerReader(EventSink& sink) : sink_(sink) {}

  // That of the response, before its first byte.
  void SetHttpStatus(int http_status) { http_status_ = http_status; }
  // A part of the response's body. False: there is no use in more of it.
  bool OnBytes(std::string_view bytes);
  // Whether a part of the answer has come, shown or not: thoughts, a call that is not whole.
  bool has_begun() const { return has_begun_; }
  // Text, each piece an event, and no calls: what an engine's speed can be told from.
  bool is_text_alone() const { return !has_calls_; }
  // All of it has come, by the engine's own word: only the response's end has not.
  bool is_whole() const { return is_whole_; }
  // Whether what failed was told in so many words: the engine's, of no proxy before it.
  bool has_error_object() const { return has_error_object_; }
  // The response is over; `fault` says why if it did not come whole. Ends the sink's events.
  void OnEnd(const Status& fault);

 private:
  void OnEvent(std::string_view data);
  void OnChunk(AnswerChunk chunk);
  void AddToCalls(std::vector<ToolCallPiece> pieces);
  ToolCall& CallOf(const ToolCallPiece& piece);
  void TellStart();
  void TellCalls();
  bool IsSuccess() const { return http_status_ >= 200 && http_status_ < 300; }
  Status EndStatus(const Status& fault);

  EventSink& sink_;
  int http_status_ = 0;
  SseReader reader_;
  std::string error_body_;
  StartEvent start_;
  bool has_begun_ = false;
  bool has_calls_ = false;
  bool has_error_object_ = false;
  bool has_started_ = false;
  bool has_usage_ = false;
  bool is_done_ = false;  // its finish_reason came: without one an answer has failed
  bool is_whole_ = false;
  Status broken_;  // what the stream itself said
  FinishEvent finish_;
  std::vector<ToolCall> calls_;     // in the order in which they began
  std::vector<size_t> call_slots_;  // by index: where in calls_ the newest call of that index is
  size_t call_bytes_ = 0;
  size_t answer_bytes_ = 0;
  int text_events_ = 0;
};

}  // namespace aio

#endif  // AIO_REMOTE_ANSWER_READER_H_
