#include "base/sha256.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "base/hex.h"

namespace aio {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context NewContext() {
  Context context(EVP_MD_CTX_new());
  AIO_CHECK(context != nullptr, "no memory for a hash");
  return context;
}

}  // namespace

struct Sha256::State {
  Context context = NewContext();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  AIO_CHECK(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::Add(const void* data, size_t bytes) {
  AIO_CHECK(EVP_DigestUpdate(state_->context.get(), data, bytes) == 1);
}

void Sha256::AddInteger(uint64_t value) {
  std::array<uint8_t, sizeof value> bytes;
  for (uint8_t& byte : bytes) {
    byte = static_cast<uint8_t>(value);
    value >>= 8;
  }
  Add(bytes.data(), bytes.size());
}

Sha256Digest Sha256::Digest() const {
  const Context copy = NewContext();  // finishing ends a context; more may be added to ours
  AIO_CHECK(EVP_MD_CTX_copy_ex(copy.get(), state_->context.get()) == 1);
  Sha256Digest digest;
  AIO_CHECK(EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::string Sha256::Hex() const { return ToHex(Digest()); }

std::string Sha256Hex(std::string_view text) {
  Sha256 hash;
  hash.Add(text);
  return hash.Hex();
}

uint64_t Sha256Uint64(std::string_view text) {
  Sha256 hash;
  hash.Add(text);
  const Sha256Digest digest = hash.Digest();
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest[i];
  return value;
}

}  // namespace aio
