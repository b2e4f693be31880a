#include "postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/utf8.h"
#include "postgres/connect.h"
#include "postgres/url.h"

namespace aio {
namespace {

using std::chrono::steady_clock;

}  // namespace

// --- values ----------------------------------------------------------------------------

std::string PostgresText(std::string_view text) {
  std::string fit = ReplaceInvalidUtf8(text);
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  for (size_t at = fit.find('\0'); at != std::string::npos; at = fit.find('\0', at)) {
    fit.replace(at, 1, kReplacement);
  }
  return fit;
}

std::string PostgresNumber(double value) { return fmt::format("{}", value); }

std::string PostgresArray(const std::vector<PostgresValue>& values) {
  std::string literal = "{";
  for (const PostgresValue& value : values) {
    if (literal.size() > 1) literal += ',';
    if (!value) {
      literal += "NULL";
      continue;
    }
    literal += '"';
    for (const char c : *value) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + '}';
}

// --- PostgresRows ----------------------------------------------------------------------

void PostgresRows::Clear::operator()(pg_result* result) const { PQclear(result); }

int PostgresRows::size() const { return PQntuples(result_.get()); }

bool PostgresRows::IsNull(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string PostgresRows::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t PostgresRows::Int(int row, int column) const {
  return std::strtoll(PQgetvalue(result_.get(), row, column), nullptr, 10);
}

double PostgresRows::Real(int row, int column) const {
  return std::strtod(PQgetvalue(result_.get(), row, column), nullptr);
}

int64_t PostgresRows::changed() const {
  return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10);
}

// --- PostgresConnection ----------------------------------------------------------------

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(const std::string& url,
                                                                     const PostgresTimes& times) {
  if (Status checked = CheckPostgresUrl(url); !checked.ok()) {
    return std::move(checked).WithContext("the database's URL");
  }
  AIO_ASSIGN_OR_RETURN(ConnectionHandle handle, ConnectToPostgres(url, times));
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(PostgresUrlToShow(url), times, handle.release()));
  AIO_RETURN_IF_ERROR(connection->Prepare());
  return connection;
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

Status PostgresConnection::Prepare() {
  PQsetNoticeReceiver(
      connection_, [](void*, const pg_result*) {}, nullptr);
  PQsetnonblocking(connection_, 1);
  const int64_t time = times_.statement.count();
  return RunScript(
      fmt::format("SET statement_timeout = {}; SET lock_timeout = {}; "
                  "SET idle_in_transaction_session_timeout = {}; SET extra_float_digits = 1; "
                  "SET standard_conforming_strings = on; SET bytea_output = 'hex';",
                  time, time, 4 * time));
}

bool PostgresConnection::is_usable() const {
  return !gone_ && PQstatus(connection_) == CONNECTION_OK;
}

Status PostgresConnection::Gone(std::string_view why) {
  gone_ = true;
  return Unavailable(fmt::format("{}: {}", name_, OnePhrase(why)))
      .WithReason(std::string(kPostgresAway));
}

Status PostgresConnection::WaitForSocket(short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return Gone("does not answer; its time is up");
    pollfd socket = {.fd = PQsocket(connection_), .events = events, .revents = 0};
    const int ready = poll(&socket, 1, static_cast<int>(left.count()));
    if (ready > 0) return Status::Ok();
    if (ready < 0 && errno != EINTR) return Gone("its socket cannot be waited for");
  }
}

Status PostgresConnection::Flush(Deadline deadline) {
  while (true) {
    const int flushed = PQflush(connection_);
    if (flushed == 0) return Status::Ok();
    if (flushed < 0) return Gone(PQerrorMessage(connection_));
    // The server may want to be read before it reads on.
    AIO_RETURN_IF_ERROR(WaitForSocket(POLLIN | POLLOUT, deadline));
    if (PQconsumeInput(connection_) == 0) return Gone(PQerrorMessage(connection_));
  }
}

Status PostgresConnection::ToStatus(const pg_result* result) const {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return PostgresFault(field != nullptr ? field : "",
                       fmt::format("{}: {}", name_, OnePhrase(PQresultErrorMessage(result))));
}

// The last result, or the first fault. All are taken, so that the next statement can be sent.
Result<PostgresRows> PostgresConnection::Receive() {
  const Deadline deadline = steady_clock::now() + times_.statement + times_.grace;
  AIO_RETURN_IF_ERROR(Flush(deadline));
  PostgresRows last(nullptr);
  Status fault;
  while (true) {
    while (PQisBusy(connection_) != 0) {
      AIO_RETURN_IF_ERROR(WaitForSocket(POLLIN, deadline));
      if (PQconsumeInput(connection_) == 0) return Gone(PQerrorMessage(connection_));
    }
    pg_result* result = PQgetResult(connection_);
    if (result == nullptr) break;
    last = PostgresRows(result);
    const ExecStatusType kind = PQresultStatus(result);
    const bool fine = kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK;
    if (!fine && fault.ok()) fault = ToStatus(result);
  }
  if (PQstatus(connection_) != CONNECTION_OK) return Gone(PQerrorMessage(connection_));
  if (!fault.ok()) return fault;
  if (last.result_ == nullptr) return Internal(name_ + ": a statement without an answer");
  return last;
}

Result<PostgresRows> PostgresConnection::Run(const std::string& sql,
                                             const std::vector<PostgresValue>& values) {
  if (!is_usable()) return Gone("the connection is gone");
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const PostgresValue& value : values) pointers.push_back(value ? value->c_str() : nullptr);
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        pointers.data(), nullptr, nullptr, 0) == 0) {
    return Gone(PQerrorMessage(connection_));
  }
  return Receive();
}

Status PostgresConnection::RunScript(const std::string& sql) {
  if (!is_usable()) return Gone("the connection is gone");
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Gone(PQerrorMessage(connection_));
  return Receive().status();
}

}  // namespace aio
