// 64-bit FNV-1a: tells vocabularies apart; no defence against forgery.
#ifndef AIO_TOKENIZER_FINGERPRINT_H_
#define AIO_TOKENIZER_FINGERPRINT_H_

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace aio {

class Fingerprint {
 public:
  Fingerprint& Add(std::string_view text) {
    Add(text.size());
    for (const char c : text) Mix(static_cast<uint8_t>(c));
    return *this;
  }
  template <typename Integer>
  requires std::is_integral_v<Integer> Fingerprint& Add(Integer number) {
    for (int shift = 0; shift < 64; shift += 8) Mix(static_cast<uint64_t>(number) >> shift & 0xFF);
    return *this;
  }
  uint64_t value() const { return value_; }

 private:
  void Mix(uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001B3; }

  uint64_t value_ = 0xCBF29CE484222325;
};

}  // namespace aio

#endif  // AIO_TOKENIZER_FINGERPRINT_H_
