#include "postgres/testing/postgres_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/check.h"
#include "postgres/connection.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUser = "aio";
constexpr const char* kPassword = "right";

// The newest version's; empty: none is installed.
std::string FindPrograms() {
  std::error_code error;
  int newest = 0;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (fs::exists(entry.path() / "bin" / "initdb", error)) newest = std::max(newest, version);
  }
  return newest == 0 ? "" : fmt::format("/usr/lib/postgresql/{}/bin", newest);
}

// Whom the server runs as; null: as us.
const passwd* OtherUser() {
  if (geteuid() != 0) return nullptr;
  // NOLINTBEGIN(concurrency-mt-unsafe): tests ask for it before they start threads
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
  // NOLINTEND(concurrency-mt-unsafe)
}

// Those whose working directory it is: all of a server's.
std::vector<pid_t> ProcessesIn(const std::string& folder) {
  std::vector<pid_t> processes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && fs::read_symlink(entry.path() / "cwd", error) == folder) {
      processes.push_back(process);
    }
  }
  return processes;
}

}  // namespace

std::unique_ptr<PostgresServer> PostgresServer::Start() {
  const std::string programs = FindPrograms();
  if (programs.empty()) return nullptr;
  std::unique_ptr<PostgresServer> server(new PostgresServer(programs));
  server->MakeCluster();
  server->Launch();
  return server;
}

PostgresServer::PostgresServer(std::string programs) : programs_(std::move(programs)) {
  // Short: a socket's path has a hundred bytes at most.
  std::string pattern = "/tmp/aio-postgres-XXXXXX";
  AIO_CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  std::ofstream(folder_ + "/password") << kPassword << "\n";
  const passwd* user = OtherUser();
  if (user == nullptr) return;
  AIO_CHECK(chown(folder_.c_str(), user->pw_uid, user->pw_gid) == 0);
  AIO_CHECK(chown((folder_ + "/password").c_str(), user->pw_uid, user->pw_gid) == 0);
}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code error;
  fs::remove_all(folder_, error);
}

pid_t PostgresServer::Spawn(const std::string& program, const std::string& arguments) const {
  std::vector<std::string> words = {programs_ + "/" + program};
  std::istringstream stream(arguments);
  for (std::string word; stream >> word;) words.push_back(word);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const passwd* user = OtherUser();
  const std::string log = folder_ + "/log";
  const pid_t child = fork();
  if (child != 0) return child;
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // a test that dies leaves no server
  const int out = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (chdir("/") != 0) _exit(126);
  char* const environment[] = {const_cast<char*>("LC_ALL=C"), nullptr};
  execve(argv[0], argv.data(), environment);
  _exit(127);
}

void PostgresServer::MakeCluster() {
  const pid_t maker = Spawn(
      "initdb", fmt::format("-D {0}/data -U {1} --pwfile={0}/password -A scram-sha-256 -E UTF8 "
                            "--locale=C --no-sync --no-instructions",
                            folder_, kUser));
  int status = 0;
  AIO_CHECK(waitpid(maker, &status, 0) == maker);
  AIO_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "initdb failed");
}

// What the test itself is killed by does not matter: the kernel keeps what was written.
void PostgresServer::Launch() {
  const std::string arguments = fmt::format(
      "-D {0}/data -k {0} -c listen_addresses= -c fsync=off -c max_connections=30 "
      "-c unix_socket_permissions=0777",
      folder_);
  constexpr int kTries = 3000;
  for (int i = 0; i < kTries; ++i) {
    // After a crash it refuses to start while processes of the old one are still there.
    if (server_ <= 0) server_ = Spawn("postgres", arguments);
    if (Answers()) return;
    poll(nullptr, 0, 20);
    if (waitpid(server_, nullptr, WNOHANG) == server_) server_ = -1;
  }
  AIO_CHECK(false, "the PostgreSQL server does not start");
}

bool PostgresServer::Answers() const {
  const std::string url = UrlOf("postgres", kUser, kPassword);
  return PQping(url.c_str()) == PQPING_OK;
}

std::string PostgresServer::UrlOf(const std::string& database, const std::string& user,
                                  const std::string& password) const {
  return fmt::format("postgresql://{}:{}@/{}?host={}", user, password, database, folder_);
}

std::string PostgresServer::NewDatabase() {
  const std::string name = fmt::format("test{}", ++databases_);
  auto connection = PostgresConnection::Open(UrlOf("postgres", kUser, kPassword));
  AIO_CHECK(connection.ok(), connection.status().ToString().c_str());
  const Status made = (*connection)->Run("CREATE DATABASE " + name).status();
  AIO_CHECK(made.ok(), made.ToString().c_str());
  return UrlOf(name, kUser, kPassword);
}

void PostgresServer::Kill() {
  if (server_ <= 0) return;
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
  server_ = -1;
  // The others would notice by themselves, and answer until then.
  for (std::vector<pid_t> rest = ProcessesIn(folder_ + "/data"); !rest.empty();
       rest = ProcessesIn(folder_ + "/data")) {
    for (const pid_t process : rest) kill(process, SIGKILL);
    poll(nullptr, 0, 1);
  }
}

void PostgresServer::Restart() { Launch(); }

}  // namespace aio
