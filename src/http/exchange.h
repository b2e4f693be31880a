// One request's answer on its way: the handler fills it from any thread, the connection
// empties it on its own. Knows HTTP framing and limits, and no sockets. Internal to http/.
#ifndef AIO_HTTP_EXCHANGE_H_
#define AIO_HTTP_EXCHANGE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/http_message.h"
#include "http/http_server.h"

namespace aio {

struct ExchangeOptions {
  bool head = false;        // HEAD: headers only
  bool http10 = false;      // no chunks: a stream ends with the connection
  bool keep_alive = false;  // the client's wish
  size_t buffered_bytes_max = 0;
  // While true no connection is kept. May be null; shared, since an answer may outlive the
  // server.
  std::shared_ptr<const std::atomic<bool>> draining = nullptr;
};

// Thread-safe.
class Exchange {
 public:
  // `wake` is called when there is something new to Take() or to learn from overflowed(),
  // once until the next Take(): under the exchange's lock, so it must only post; never after
  // Close() has returned.
  Exchange(ExchangeOptions options, std::function<void()> wake);

  // --- The handler's side: see ResponseWriter ---
  void Send(HttpResponse response);
  void Start(HttpResponse response, std::string ping = "");
  void Write(std::string_view chunk);
  void Finish();
  void Abort();
  void OnClose(std::function<void()> callback);
  void OnFull(std::function<void(bool full)> callback);
  bool open() const;
  bool stopped() const;
  // The handler let go of the answer, or failed. Ends it if it had not ended.
  void Abandon();

  // --- The connection's side ---
  struct Output {
    std::string bytes;
    bool last = false;  // nothing follows
  };
  Output Take();
  // Nothing was sent for a while: adds the ping, if the stream has one.
  void Ping();
  // The client is too slow: nothing more is kept for it and the connection is to close.
  bool overflowed() const;
  // `bytes` of what was taken have been handed to the socket.
  void MarkSent(size_t bytes);
  // The connection is gone. Runs the OnClose callbacks if the answer was not complete. Of
  // several calls the first counts.
  void Close(bool by_server = false);
  // Runs the OnClose callbacks while the answer can still be sent: the server is about to
  // stop, and the handler may say so.
  void Cancel();
  // Whether the next request may follow on this connection. Valid once the last was taken.
  bool keep_alive() const;

 private:
  enum class Stage { kWaiting, kStreaming, kEnded };

  void AppendHead(const HttpResponse& response, bool streaming);  // holding mutex_
  void AppendChunk(std::string_view chunk);                       // holding mutex_
  void End();                                                     // holding mutex_
  void Wake();                                                    // holding mutex_
  void TellFull();                                                // holding mutex_
  bool KeepsAlive() const;                                        // holding mutex_
  bool Chunked() const { return !options_.http10 && !options_.head; }

  const ExchangeOptions options_;

  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  std::function<void()> wake_;
  std::vector<std::function<void()>> on_close_;
  std::function<void(bool full)> on_full_;
  bool is_full_ = false;
  Stage stage_ = Stage::kWaiting;
  bool keep_alive_;
  bool closed_ = false;
  bool stopped_ = false;    // closed by the server
  bool cancelled_ = false;  // Cancel() was called
  bool overflowed_ = false;
  bool woken_ = false;  // since the last Take()
  std::string pending_;
  std::string ping_;
  size_t in_flight_bytes_ = 0;
};

// The handler's handle on `exchange`; abandons it when dropped.
std::shared_ptr<ResponseWriter> MakeResponseWriter(std::shared_ptr<Exchange> exchange);

}  // namespace aio

#endif  // AIO_HTTP_EXCHANGE_H_
