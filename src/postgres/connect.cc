#include "postgres/connect.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

#include "postgres/url.h"

namespace aio {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What a class of SQLSTATE, or a whole one, means to who must go on.
// https://www.postgresql.org/docs/15/errcodes-appendix.html
struct Meaning {
  std::string_view state;  // its beginning
  StatusCode code;
  std::string_view reason;
};
constexpr Meaning kMeanings[] = {
    {"08", StatusCode::kUnavailable, kPostgresAway},          // connection exception
    {"40", StatusCode::kUnavailable, kPostgresAway},          // serialization, deadlock
    {"53", StatusCode::kUnavailable, kPostgresAway},          // disk, memory, connections
    {"55", StatusCode::kUnavailable, kPostgresAway},          // locked
    {"57", StatusCode::kUnavailable, kPostgresAway},          // shutdown, time is up
    {"58", StatusCode::kUnavailable, kPostgresAway},          // system error
    {"25006", StatusCode::kUnavailable, kPostgresAway},       // read-only: a standby
    {"28", StatusCode::kPermissionDenied, kPostgresRefuses},  // user, password
    {"3D", StatusCode::kNotFound, kPostgresRefuses},          // no such database
    {"42501", StatusCode::kPermissionDenied, kPostgresRefuses},
    {"22", StatusCode::kInvalidArgument, kPostgresValue},
    {"23", StatusCode::kInvalidArgument, kPostgresValue},
    {"54", StatusCode::kInvalidArgument, kPostgresValue},
};

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator, begin)) {
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

// --- why there is no connection --------------------------------------------------------

// The SQLSTATE in a line as PQERRORS_VERBOSE makes them: "...FATAL:  28P01: password ...". The
// library has it nowhere else, and the words are in the server's language. Empty: there is none.
std::string_view StateIn(std::string_view line) {
  constexpr size_t kStateSize = 5;
  constexpr std::string_view kBefore = ":  ";
  for (size_t at = line.find(kBefore); at != std::string_view::npos;
       at = line.find(kBefore, at + 1)) {
    const std::string_view rest = line.substr(at + kBefore.size());
    const std::string_view state = rest.substr(0, kStateSize);
    const bool fits = std::all_of(state.begin(), state.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
    if (fits && rest.substr(state.size()).starts_with(": ")) return state;
  }
  return {};
}

// Every try was answered, and by a no that time does not change. What has no SQLSTATE was said by
// the library: nobody was reached, or a standby, where a primary is asked for.
bool AllRefuse(std::string_view words) {
  bool refused = false;
  for (const std::string& line : Split(words, '\n')) {
    const std::string_view state = StateIn(line);
    if (state.empty()) {
      if (line.starts_with("connection to ")) return false;
    } else if (PostgresFault(state, "").reason() == kPostgresRefuses) {
      refused = true;
    } else {
      return false;
    }
  }
  return refused;
}

// The place in the server's source is of no use to anybody here.
std::string WithoutLocation(std::string_view words) {
  std::string rest;
  for (const std::string& line : Split(words, '\n')) {
    if (!line.starts_with("LOCATION:")) rest += line + "\n";
  }
  return rest;
}

// --- hosts -----------------------------------------------------------------------------

// Keywords and values that stand above those of the URL.
using Overrides = std::vector<std::pair<const char*, std::string>>;

class UrlOptions {
 public:
  explicit UrlOptions(const std::string& url) : options_(PQconninfoParse(url.c_str(), nullptr)) {}
  std::string operator[](std::string_view keyword) const {
    for (const PQconninfoOption* option = options_.get();
         option != nullptr && option->keyword != nullptr; ++option) {
      if (option->keyword == keyword && option->val != nullptr) return option->val;
    }
    return "";
  }

 private:
  struct Free {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  };
  const std::unique_ptr<PQconninfoOption, Free> options_;
};

// One for each host: the library, asked for all of them, would give up at the first that takes a
// connection and says nothing.
std::vector<Overrides> HostsOf(const UrlOptions& url) {
  std::vector<Overrides> whole(1);
  const std::string host = url["host"];
  const std::string address = url["hostaddr"];
  const std::vector<std::string> hosts = Split(host, ',');
  const std::vector<std::string> addresses = Split(address, ',');
  const std::vector<std::string> ports = Split(url["port"], ',');
  const size_t count = address.empty() ? hosts.size() : addresses.size();
  const bool matched =
      (host.empty() || hosts.size() == count) && (ports.size() == 1 || ports.size() == count);
  if (count == 1 || !matched) return whole;  // the library says what does not match
  std::vector<Overrides> all;
  for (size_t i = 0; i < count; ++i) {
    Overrides one;
    if (!host.empty()) one.emplace_back("host", hosts[i]);
    if (!address.empty()) one.emplace_back("hostaddr", addresses[i]);
    const std::string& port = ports[ports.size() == 1 ? 0 : i];
    one.emplace_back("port", port.empty() ? "5432" : port);
    // An empty value would not stand above the URL's.
    for (const auto& [key, value] : one) {
      if (value.empty()) return whole;
    }
    all.push_back(std::move(one));
  }
  return all;
}

// "prefer-standby" is of all hosts together: a standby among them, and only then any.
std::vector<Overrides> TriesOf(const UrlOptions& url) {
  std::vector<Overrides> hosts = HostsOf(url);
  if (hosts.size() == 1 || url["target_session_attrs"] != "prefer-standby") return hosts;
  std::vector<Overrides> tries;
  for (const char* wanted : {"standby", "any"}) {
    for (Overrides host : hosts) {
      host.emplace_back("target_session_attrs", wanted);
      tries.push_back(std::move(host));
    }
  }
  return tries;
}

// --- time ------------------------------------------------------------------------------

// Of one call; each try has its own time in it.
class Patience {
 public:
  Patience(const UrlOptions& url, const PostgresTimes& times)
      : stopping_(times.stopping), each_(times.connect) {
    const std::string set = url["connect_timeout"];
    int seconds = 0;
    const auto [end, error] = std::from_chars(set.data(), set.data() + set.size(), seconds);
    if (error == std::errc() && seconds > 0) each_ = std::chrono::seconds(seconds);
  }

  void BeginTry() { try_ends_ = steady_clock::now() + each_; }

  milliseconds Left() {
    const auto now = steady_clock::now();
    if (stopping_ != nullptr && *stopping_) all_ends_ = std::min(all_ends_, now + kWhenStopping);
    return std::chrono::ceil<milliseconds>(std::min(try_ends_, all_ends_) - now);
  }

 private:
  static constexpr auto kWhenStopping = std::chrono::seconds(1);

  const std::atomic<bool>* const stopping_;
  steady_clock::duration each_;
  steady_clock::time_point try_ends_;
  steady_clock::time_point all_ends_ = steady_clock::time_point::max();
};

// False if the time is up.
bool WaitForConnection(pg_conn* connection, PostgresPollingStatusType wanted, Patience& patience) {
  constexpr milliseconds kLook{100};  // how often it is looked whether the program stops
  while (true) {
    const milliseconds left = patience.Left();
    if (left.count() <= 0) return false;
    const short events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd socket = {.fd = PQsocket(connection), .events = events, .revents = 0};
    const int ready = poll(&socket, 1, static_cast<int>(std::min(left, kLook).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// --- a try -----------------------------------------------------------------------------

ConnectionHandle Begin(const std::string& url, const Overrides& overrides) {
  // What stands after "dbname" wins over the URL, what stands before it does not. The network's
  // own patience with a host that is gone without a word is a quarter of an hour.
  std::vector<const char*> keys = {"application_name", "keepalives_idle",  "keepalives_interval",
                                   "keepalives_count", "tcp_user_timeout", "dbname",
                                   "client_encoding"};
  std::vector<const char*> values = {"aio", "15", "5", "3", "30000", url.c_str(), "UTF8"};
  for (const auto& [key, value] : overrides) {
    keys.push_back(key);
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  return ConnectionHandle(PQconnectStartParams(keys.data(), values.data(), 1));
}

// Empty: there is the connection. Otherwise why not, in lines as the library's.
std::string GoOn(pg_conn* connection, Patience& patience) {
  patience.BeginTry();
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (PQstatus(connection) != CONNECTION_BAD) {
    if (!WaitForConnection(connection, wanted, patience)) {
      return fmt::format("{}connection to {} failed: its time is up\n", PQerrorMessage(connection),
                         PQhost(connection));
    }
    wanted = PQconnectPoll(connection);
    if (wanted == PGRES_POLLING_OK) {
      PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
      return "";
    }
    if (wanted == PGRES_POLLING_FAILED) break;
  }
  const std::string words = PQerrorMessage(connection);
  return words.empty() ? "connection to it failed without a reason\n" : words;
}

}  // namespace

void FinishConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

std::string OnePhrase(std::string_view lines) {
  std::string line;
  for (const char c : lines) {
    if (c != '\n') {
      line += c;
    } else if (!line.ends_with("; ")) {
      line += "; ";
    }
  }
  while (line.ends_with(' ') || line.ends_with(';')) line.pop_back();
  return line;
}

Status PostgresFault(std::string_view sqlstate, std::string message) {
  for (const Meaning& meaning : kMeanings) {
    if (!sqlstate.starts_with(meaning.state)) continue;
    return Status(meaning.code, std::move(message)).WithReason(std::string(meaning.reason));
  }
  return Internal(std::move(message)).WithReason(std::string(kPostgresOther));
}

Result<ConnectionHandle> ConnectToPostgres(const std::string& url, const PostgresTimes& times) {
  const UrlOptions options(url);
  Patience patience(options, times);
  std::string words;
  bool refused = true;
  for (const Overrides& host : TriesOf(options)) {
    // Each further one would wait for name servers, which no patience bounds.
    if (!words.empty() && times.stopping != nullptr && *times.stopping) {
      refused = false;
      break;
    }
    ConnectionHandle connection = Begin(url, host);
    if (connection == nullptr) return ResourceExhausted("no memory for a connection to PostgreSQL");
    const std::string why_not = GoOn(connection.get(), patience);
    if (why_not.empty()) return connection;
    words += why_not;
    // It asks for a password, and there is none.
    refused = refused && (AllRefuse(why_not) || PQconnectionNeedsPassword(connection.get()) != 0);
  }
  std::string message =
      fmt::format("{}: {}", PostgresUrlToShow(url), OnePhrase(WithoutLocation(words)));
  if (!refused) return Unavailable(std::move(message)).WithReason(std::string(kPostgresAway));
  return Status(StatusCode::kPermissionDenied,
                message + "; check user, password and database of the URL")
      .WithReason(std::string(kPostgresRefuses));
}

}  // namespace aio
