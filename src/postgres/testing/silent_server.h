// A server for tests that takes connections and never says a word.
#ifndef AIO_POSTGRES_TESTING_SILENT_SERVER_H_
#define AIO_POSTGRES_TESTING_SILENT_SERVER_H_

#include <string>

namespace aio {

class SilentServer {
 public:
  // In a folder of its own.
  SilentServer();
  // In place of the server of this URL, which was killed.
  explicit SilentServer(const std::string& url);
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer();

  const std::string& folder() const { return folder_; }  // of its socket: the "host" of a URL

 private:
  void Listen();

  std::string folder_;
  bool is_own_ = false;
  int socket_ = -1;
};

}  // namespace aio

#endif  // AIO_POSTGRES_TESTING_SILENT_SERVER_H_
