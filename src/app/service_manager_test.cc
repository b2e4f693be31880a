#include "app/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "base/file_descriptor.h"

namespace aio {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A manager's socket in the abstract namespace.
class Manager {
 public:
  Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = Name();
    name.copy(address.sun_path + 1, name.size() - 1, 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  }

  static std::string Name() { return "@aio-service-manager-test-" + std::to_string(::getpid()); }

  // What was told last; empty: nothing.
  std::string Receive() {
    std::string text(4096, '\0');
    const ssize_t got = ::recv(socket_.get(), text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return text;
  }

 private:
  FileDescriptor socket_;
};

TEST(ServiceManagerTest, IsTold) {
  Manager manager;
  const ServiceManager told(Manager::Name());
  EXPECT_TRUE(told.Ready("serving").ok());
  EXPECT_EQ(manager.Receive(), "READY=1\nSTATUS=serving");
  EXPECT_TRUE(told.Reloading().ok());
  EXPECT_THAT(manager.Receive(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_TRUE(told.Stopping("draining").ok());
  EXPECT_EQ(manager.Receive(), "STOPPING=1\nSTATUS=draining");
}

TEST(ServiceManagerTest, WithoutAManagerNothingIsDone) {
  EXPECT_TRUE(ServiceManager("").Ready("serving").ok());
}

TEST(ServiceManagerTest, TheVariableIsReadOnce) {
  Manager manager;
  ::setenv("NOTIFY_SOCKET", Manager::Name().c_str(), 1);
  const ServiceManager told = ServiceManager::FromEnvironment();
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_TRUE(told.Ready("").ok());
  EXPECT_THAT(manager.Receive(), StartsWith("READY=1"));
  EXPECT_TRUE(ServiceManager::FromEnvironment().Ready("").ok());
  EXPECT_EQ(manager.Receive(), "");
}

TEST(ServiceManagerTest, AManagerThatIsNotThereIsNamed) {
  const Status gone = ServiceManager("/nowhere/socket").Ready("");
  EXPECT_THAT(gone.message(), HasSubstr("/nowhere/socket: cannot tell the service manager"));
  EXPECT_EQ(ServiceManager("relative").Ready("").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ServiceManager("/" + std::string(200, 'x')).Ready("").code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aio
