// SHA-256 (FIPS 180-4), of OpenSSL.
#ifndef AIO_BASE_SHA256_H_
#define AIO_BASE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace aio {

using Sha256Digest = std::array<uint8_t, 32>;

// Of what was added so far. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Add(const void* data, size_t bytes);
  void Add(std::string_view text) { Add(text.data(), text.size()); }
  // Little-endian, whatever the machine.
  void AddInteger(uint64_t value);

  Sha256Digest Digest() const;
  // 64 lower-case hexadecimal digits.
  std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(std::string_view text);

// The first 64 bits, for hashes that are compared or drawn from within the program.
uint64_t Sha256Uint64(std::string_view text);

}  // namespace aio

#endif  // AIO_BASE_SHA256_H_
