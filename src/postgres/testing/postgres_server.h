// A PostgreSQL server of Debian's packages for tests: its own folder, a socket and no port.
#ifndef AIO_POSTGRES_TESTING_POSTGRES_SERVER_H_
#define AIO_POSTGRES_TESTING_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>

namespace aio {

class PostgresServer {
 public:
  // Null if PostgreSQL's server is not installed; a test is then skipped:
  //   if (server == nullptr) GTEST_SKIP() << PostgresServer::kNotInstalled;
  // Stops the program if it is installed and does not start. As root, the server runs as another
  // user, since it refuses to run as root.
  static std::unique_ptr<PostgresServer> Start();
  static constexpr const char* kNotInstalled =
      "NOT TESTED: PostgreSQL's server is not installed (scripts/install-deps test)";
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // The URL of a new, empty database; its user may do all.
  std::string NewDatabase();
  // The same with another user's name or password.
  std::string UrlOf(const std::string& database, const std::string& user,
                    const std::string& password) const;

  // As a crash would. When it returns, no process of the server is left.
  void Kill();
  // After Kill(); returns when it can be asked.
  void Restart();

 private:
  explicit PostgresServer(std::string programs);
  void MakeCluster();
  void Launch();
  bool Answers() const;
  pid_t Spawn(const std::string& program, const std::string& arguments) const;

  const std::string programs_;  // their folder
  std::string folder_;
  pid_t server_ = -1;
  int databases_ = 0;
};

}  // namespace aio

#endif  // AIO_POSTGRES_TESTING_POSTGRES_SERVER_H_
