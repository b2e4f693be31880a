// HTTP requests and responses as plain data.
#ifndef AIO_HTTP_HTTP_MESSAGE_H_
#define AIO_HTTP_HTTP_MESSAGE_H_

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aio {

// Header names are equal without regard to the case of ASCII letters.
bool SameHeaderName(std::string_view a, std::string_view b);

// In order of arrival; names keep their case and are compared without regard to it.
class HttpHeaders {
 public:
  using Entry = std::pair<std::string, std::string>;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Entry> entries) : entries_(entries) {}

  // The first value of `name`, or empty.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  void Add(std::string name, std::string value);
  // Replaces every entry of `name`.
  void Set(std::string name, std::string value);

  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

struct HttpRequest {
  std::string method;  // "GET", as sent
  std::string path;    // target up to '?', as sent: percent-encoding is not undone
  std::string query;   // after '?', or empty
  HttpHeaders headers;
  std::string body;
  std::string remote_address;  // "127.0.0.1:54321"
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;  // content-length, transfer-encoding and connection are the server's
  std::string body;
};

// "Not Found" for 404; "Unknown" for a code without a name.
std::string_view HttpReason(int status);

// What `query` ("a=1&b=2") says of `key`, as sent; empty if nothing.
std::string_view QueryValue(std::string_view query, std::string_view key);

// `text` with %XX undone; ill-formed escapes stay as they are.
std::string PercentDecode(std::string_view text);

}  // namespace aio

#endif  // AIO_HTTP_HTTP_MESSAGE_H_
