#include "stress/hostile_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string_view>

#include "stress/client.h"

namespace aio {
namespace {

constexpr std::string_view kPaths[] = {"/v1/chat/completions",
                                       "/v1/completions",
                                       "/v1/responses",
                                       "/v1/messages",
                                       "/v1/embeddings",
                                       "/v1/decision",
                                       "/tokenize",
                                       "/detokenize",
                                       "/apply-template",
                                       "/v1/feedback",
                                       "/v1/messages/count_tokens"};
constexpr std::string_view kOtherPaths[] = {"/health",
                                            "/ready",
                                            "/metrics",
                                            "/v1/models",
                                            "/v1/models/stub",
                                            "/props",
                                            "/slots",
                                            "/",
                                            "/../../etc/passwd",
                                            "/%2e%2e/%2e%2e/etc/shadow",
                                            "/v1//models",
                                            "/v1/models/%00",
                                            "//health",
                                            "/v1/models/..;/",
                                            "*",
                                            "http://other.example/health",
                                            "/\xC3\xA9",
                                            "/?",
                                            "/#a"};
constexpr std::string_view kMembers[] = {"model",
                                         "messages",
                                         "prompt",
                                         "input",
                                         "stream",
                                         "stream_options",
                                         "max_tokens",
                                         "n",
                                         "stop",
                                         "temperature",
                                         "top_p",
                                         "top_k",
                                         "seed",
                                         "logprobs",
                                         "top_logprobs",
                                         "logit_bias",
                                         "priority",
                                         "response_format",
                                         "tools",
                                         "system",
                                         "presence_penalty",
                                         "content",
                                         "tokens",
                                         "intent",
                                         "strategy",
                                         "metadata",
                                         "stop_sequences",
                                         "max_output_tokens",
                                         "text",
                                         "grammar"};
constexpr std::string_view kValues[] = {"null",
                                        "true",
                                        "-1",
                                        "0",
                                        "1e400",
                                        "-0.0",
                                        "99999999999999999999999999",
                                        "\"\"",
                                        "\"auto\"",
                                        "[]",
                                        "{}",
                                        "[[[[[[]]]]]]",
                                        "{\"a\":{\"b\":[null]}}",
                                        "[null]",
                                        "\"\\u0000\"",
                                        "\"\\ud800\"",
                                        "\"\xFF\xFE\"",
                                        "NaN",
                                        "Infinity",
                                        "'x'",
                                        "0x10",
                                        "01",
                                        "1.",
                                        "\"\\x\"",
                                        "tru",
                                        "[1,]",
                                        "{\"type\":\"json_schema\"}",
                                        "{\"role\":\"user\"}",
                                        "[{\"role\":\"user\",\"content\":1}]",
                                        "[{\"role\":\"nobody\",\"content\":\"x\"}]",
                                        "{\"include_usage\":1}",
                                        "1000000000"};
constexpr std::string_view kHeaders[] = {"Content-Length: -1",
                                         "Content-Length: 18446744073709551616",
                                         "Content-Length: 5, 5",
                                         "Content-Length: 0x10",
                                         "Content-Length:",
                                         "Content-Length: 3\r\nContent-Length: 4",
                                         "Transfer-Encoding: gzip",
                                         "Transfer-Encoding: chunked, gzip",
                                         "Transfer-Encoding: xchunked",
                                         "Transfer-Encoding: chunked\r\nContent-Length: 4",
                                         "Transfer-Encoding : chunked",
                                         "Host: a\r\nHost: b",
                                         "No colon here",
                                         ": no name",
                                         "A\x01: b",
                                         "A: b\x01",
                                         "A: \n b",
                                         "Expect: 200-ok",
                                         "Connection: close, keep-alive, \x7F",
                                         "Upgrade: h2c",
                                         "Range: bytes=0-",
                                         "x-request-timeout-ms: -5",
                                         "x-request-timeout-ms: 1e9",
                                         "x-request-id: \t",
                                         "Cookie: ;;;;",
                                         "Authorization: Bearer",
                                         "Authorization: Basic Og==",
                                         "Accept-Encoding: \"",
                                         "Te: trailers"};
constexpr std::string_view kMethods[] = {"GET",   "HEAD",    "PUT",    "DELETE",   "OPTIONS",
                                         "PATCH", "TRACE",   "BREW",   "get",      "",
                                         "P OST", "CONNECT", "POST\t", "\r\nPOST", "M-SEARCH"};

constexpr size_t kDribbledBytesMax = 800;  // longer ones would take too long

class Maker {
 public:
  explicit Maker(uint64_t seed, uint64_t number) : random_(seed * 0x9E3779B97F4A7C15ull + number) {}

  HostileRequest Make() {
    HostileRequest request;
    switch (Below(8)) {
      case 0:
        request = Noise();
        break;
      case 1:
        request = BadHead();
        break;
      case 2:
        request = BadChunks();
        break;
      case 3:
        request.bytes = BadMembers();
        break;
      case 4:
        request.bytes = OddMethod();
        break;
      case 5:
        request.bytes = PostRequest(Pick(kPaths), Mutated(GoodBody()));
        break;
      case 6:
        request = {.bytes = Mutated(GoodRequest()), .end = Patient()};
        break;
      default:
        request = CutShort();
        break;
    }
    if (Below(4) == 0) request.first_bytes = Below(request.bytes.size() + 1);
    const size_t head = request.bytes.find("\r\n\r\n");
    if (Below(16) == 0 && head != std::string::npos && request.bytes.size() < kDribbledBytesMax) {
      request.first_bytes = head + 4;
      request.piece_bytes = Below(3) + 1;
    }
    return request;
  }

 private:
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % std::max<size_t>(bound, 1)); }
  template <size_t n>
  std::string_view Pick(const std::string_view (&from)[n]) {
    return from[Below(n)];
  }
  char Byte() { return static_cast<char>(Below(256)); }

  std::string Bytes(size_t count) {
    std::string bytes(count, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return Byte(); });
    return bytes;
  }

  std::string GoodBody() {
    return fmt::format(R"({{"model":"auto","messages":[{{"role":"user","content":"a {} b"}}],)"
                       R"("max_tokens":{},"stream":{},"temperature":0.{}}})",
                       Below(1000), Below(4) + 1, Below(2) == 0, Below(10));
  }
  std::string GoodRequest() { return PostRequest("/v1/chat/completions", GoodBody()); }

  HostileRequest Noise() {
    std::string bytes = Bytes(Below(200) + 1);
    if (Below(8) == 0) bytes.append(Below(80'000), 'x');
    return {.bytes = std::move(bytes), .end = Patient()};
  }

  HostileRequest BadHead() {
    const std::string body = GoodBody();
    // Host is kept out of the way of those that are about it.
    return {.bytes = fmt::format("POST {} HTTP/1.{}\r\nHost: t\r\n{}\r\n{}\r\n\r\n{}", Pick(kPaths),
                                 Below(3), Pick(kHeaders), Pick(kHeaders), body),
            .end = Patient()};
  }

  HostileRequest BadChunks() {
    constexpr std::string_view kSizes[] = {"-1", "+5",  "0x5",  "",   "g",   "ffffffffffffffffff",
                                           " 5", "5 5", "5;\"", "\n", "5\r5"};
    std::string bytes = fmt::format(
        "POST {} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n", Pick(kPaths));
    const std::string body = GoodBody();
    if (Below(2) == 0) bytes += fmt::format("{:x}\r\n{}\r\n", body.size(), body);
    if (Below(4) > 0) bytes += fmt::format("{}\r\nabcde\r\n", Pick(kSizes));
    bytes += "0\r\n\r\n";
    return {.bytes = std::move(bytes), .end = Patient()};
  }

  std::string BadMembers() {
    std::string body = R"({"model":"auto","messages":[{"role":"user","content":"x"}])";
    if (Below(4) == 0) body = R"({"model":"auto")";
    for (size_t i = Below(3) + 1; i > 0; --i) {
      body += fmt::format(R"(,"{}":)", Pick(kMembers));
      body += Pick(kValues);
    }
    return PostRequest(Pick(kPaths), body + "}");
  }

  std::string OddMethod() {
    return fmt::format("{} {} HTTP/1.1\r\nHost: t\r\n\r\n", Pick(kMethods), Pick(kOtherPaths));
  }

  // A few bytes changed, lost, doubled or put in.
  std::string Mutated(std::string text) {
    for (size_t i = Below(4) + 1; i > 0 && !text.empty(); --i) {
      const size_t at = Below(text.size());
      switch (Below(4)) {
        case 0:
          text[at] = Byte();
          break;
        case 1:
          text.erase(at, Below(8) + 1);
          break;
        case 2:
          text.insert(at, text.substr(at, Below(64)));
          break;
        default:
          text.insert(at, Bytes(Below(4) + 1));
          break;
      }
    }
    return text;
  }

  HostileRequest CutShort() {
    HostileRequest request{.bytes = GoodRequest()};
    request.bytes.resize(Below(request.bytes.size()));
    request.end = Below(2) == 0 ? HostileEnd::kCloses : HostileEnd::kResets;
    return request;
  }

  // Of what the server may take for the beginning of more.
  HostileEnd Patient() { return Below(2) == 0 ? HostileEnd::kHalfCloses : HostileEnd::kCloses; }

  std::mt19937_64 random_;
};

}  // namespace

HostileRequest MakeHostileRequest(uint64_t seed, uint64_t number) {
  return Maker(seed, number).Make();
}

}  // namespace aio
