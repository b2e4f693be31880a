#include "postgres/testing/silent_server.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/check.h"

namespace aio {
namespace {

constexpr const char* kSocketName = "/.s.PGSQL.5432";

}  // namespace

SilentServer::SilentServer() : is_own_(true) {
  std::string pattern = "/tmp/aio-silent-XXXXXX";
  AIO_CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  Listen();
}

SilentServer::SilentServer(const std::string& url) {
  constexpr std::string_view kHost = "host=";
  const size_t at = url.find(kHost);
  AIO_CHECK(at != std::string::npos);
  folder_ = url.substr(at + kHost.size());
  folder_.resize(std::min(folder_.size(), folder_.find('&')));
  unlink((folder_ + kSocketName).c_str());
  Listen();
}

void SilentServer::Listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder_ + kSocketName;
  AIO_CHECK(path.size() < sizeof address.sun_path);
  std::copy(path.begin(), path.end(), address.sun_path);
  socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
  AIO_CHECK(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  AIO_CHECK(listen(socket_, 8) == 0);
}

SilentServer::~SilentServer() {
  close(socket_);
  unlink((folder_ + kSocketName).c_str());
  if (is_own_) rmdir(folder_.c_str());
}

}  // namespace aio
