// Stands for Kubernetes' API: answers GET requests as it is told, and keeps streams open.
#ifndef AIO_DISCOVERY_TESTING_KUBERNETES_SERVER_H_
#define AIO_DISCOVERY_TESTING_KUBERNETES_SERVER_H_

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"

namespace aio {

class KubernetesServer {
 public:
  struct Request {
    std::string target;         // path and query
    std::string authorization;  // the header's value, or empty

    bool is_watch() const { return target.find("watch=1") != std::string::npos; }
  };
  struct Reply {
    int status = 200;
    std::string body = {};
    bool stays_open = false;  // a watch: Send() goes on with it
  };

  KubernetesServer();
  ~KubernetesServer();

  std::string url() const;

  // To all lists from now on. Watches stay open. Thread-safe, as all that follows.
  void SetList(Reply reply);
  // To the next watch alone.
  void SetNextWatch(Reply reply);

  std::vector<Request> requests() const;
  // Waits for the so-manieth watch, counted from 1, to have been answered; its request.
  Request WaitForWatch(size_t number);
  // Waits for so many lists in all.
  bool WaitForLists(size_t count);

  void Send(std::string_view text);  // into the last watch
  void EndWatch();                   // the last, as it should end
  void CutWatch();                   // the last, in the middle

 private:
  struct Connection {
    FileDescriptor socket;
    std::thread thread;
  };
  void Accept();
  void Serve(int socket);
  Reply ReplyTo(const Request& request);

  FileDescriptor listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Connection> connections_;  // guarded by mutex_, as all that follow
  std::vector<Request> requests_;
  std::vector<Request> watches_;  // that were answered
  std::vector<Reply> next_watches_;
  Reply list_;
  int watch_ = -1;  // the last open watch's socket, of a connection
  bool ends_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace aio

#endif  // AIO_DISCOVERY_TESTING_KUBERNETES_SERVER_H_
