// Certificates made on the spot, and a client that speaks TLS; for tests only.
#ifndef AIO_HTTP_TLS_TEST_FILES_H_
#define AIO_HTTP_TLS_TEST_FILES_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "http/http_server.h"
#include "http/test_client.h"

namespace aio {

// A folder of its own with certificates for "localhost" that sign themselves.
class TlsTestFiles {
 public:
  TlsTestFiles() {
    std::string folder = (std::filesystem::temp_directory_path() / "aio-tls-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  ~TlsTestFiles() { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  // NAME.crt, with `name` as the subject, and NAME.key.
  TlsFiles Make(const std::string& name) const {
    TlsFiles files{.certificate = Path(name + ".crt"), .key = Path(name + ".key")};
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    if (FILE* file = std::fopen(files.certificate.c_str(), "w")) {
      PEM_write_X509(file, certificate);
      std::fclose(file);
    }
    if (FILE* file = std::fopen(files.key.c_str(), "w")) {
      ::fchmod(::fileno(file), 0600);
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
      std::fclose(file);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return files;
  }

 private:
  std::filesystem::path folder_;
};

// Trusts whoever answers. Every read gives up after TestClient::kPatience.
class TlsTestClient {
 public:
  explicit TlsTestClient(int port, int max_version = TLS1_3_VERSION) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, max_version);
    SSL_CTX_set_security_level(context_, 0);  // so that old versions are offered at all
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{.tv_sec = TestClient::kPatience.count(), .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_, kProtocols, sizeof kProtocols - 1);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                 SSL_connect(ssl_) == 1;
  }
  ~TlsTestClient() {
    Close();
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsTestClient(const TlsTestClient&) = delete;
  TlsTestClient& operator=(const TlsTestClient&) = delete;

  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(ssl_); }

  // The name in the server's certificate.
  std::string ServerName() const {
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    X509_free(certificate);
    return name;
  }

  std::string Protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  bool Send(std::string_view bytes) {
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }

  bool Get(std::string_view target) {
    return Send("GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n");
  }

  // Up to and with `marker`, or what came before the end.
  std::string ReadUntil(std::string_view marker) {
    while (received_.find(marker) == std::string::npos) {
      if (!Fill()) return Cut(received_.size());
    }
    return Cut(received_.find(marker) + marker.size());
  }

  std::string ReadToEnd() {
    while (Fill()) {
    }
    return Cut(received_.size());
  }

  // Whether the server said that it had nothing more, so that nobody has cut the answer.
  bool WasToldTheEnd() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  bool Fill() {
    char bytes[16 << 10];
    const int got = SSL_read(ssl_, bytes, sizeof bytes);
    if (got <= 0) return false;
    received_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  std::string Cut(size_t length) {
    std::string head = received_.substr(0, length);
    received_.erase(0, length);
    return head;
  }

  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  int fd_ = -1;
  bool connected_ = false;
  std::string received_;
};

}  // namespace aio

#endif  // AIO_HTTP_TLS_TEST_FILES_H_
