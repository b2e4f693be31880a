// Fields of protocol buffers, for tests that make SentencePiece models.
#ifndef AIO_FORMATS_SENTENCEPIECE_TESTING_H_
#define AIO_FORMATS_SENTENCEPIECE_TESTING_H_

#include <cstdint>
#include <cstring>
#include <string>

namespace aio::protobuf {

inline std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>(value | 128);
  return out + static_cast<char>(value);
}
inline std::string Bytes(int field, const std::string& bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + bytes;
}
inline std::string Number(int field, uint64_t value) { return Varint(field << 3) + Varint(value); }
inline std::string Float(int field, float value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return Varint(field << 3 | 5) + bytes;
}

}  // namespace aio::protobuf

#endif  // AIO_FORMATS_SENTENCEPIECE_TESTING_H_
