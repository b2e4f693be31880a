#include "formats/sentencepiece.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "formats/mapped_file.h"

namespace aio {
namespace {

// Field numbers.
constexpr uint32_t kModelPieces = 1, kModelTrainer = 2, kModelNormalizer = 3;
constexpr uint32_t kPieceText = 1, kPieceScore = 2, kPieceKind = 3;
constexpr uint32_t kTrainerAlgorithm = 3;
constexpr uint32_t kTrainerUnknown = 40, kTrainerBos = 41, kTrainerEos = 42, kTrainerPadding = 43;
constexpr uint32_t kNormalizerDummyPrefix = 3;

constexpr size_t kMaxPieces = size_t{1} << 22;

// One field of a message: https://protobuf.dev/programming-guides/encoding.
struct Field {
  uint32_t number = 0;
  uint64_t integer = 0;              // of a varint
  std::span<const std::byte> bytes;  // of the other wire types
  bool is_varint = false;
};

// Reads a message field by field. After Next() has said false, ok() tells whether the message
// ended there or is broken.
class FieldReader {
 public:
  explicit FieldReader(std::span<const std::byte> message) : rest_(message) {}

  bool ok() const { return ok_; }

  bool Next(Field& field) {
    if (rest_.empty() || !ok_) return false;
    uint64_t tag = 0;
    if (!ReadVarint(tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return Fail();
    field = {};
    field.number = static_cast<uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        field.is_varint = true;
        return ReadVarint(field.integer) || Fail();
      case 1:
        return Take(8, field) || Fail();
      case 2: {
        uint64_t length = 0;
        return (ReadVarint(length) && Take(length, field)) || Fail();
      }
      case 5:
        return Take(4, field) || Fail();
      default:  // groups, which nothing writes any more
        return Fail();
    }
  }

 private:
  bool Fail() {
    ok_ = false;
    return false;
  }

  bool ReadVarint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return false;
      const auto byte = std::to_integer<uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool Take(uint64_t length, Field& field) {
    if (length > rest_.size()) return false;
    field.bytes = rest_.first(length);
    rest_ = rest_.subspan(length);
    return true;
  }

  std::span<const std::byte> rest_;
  bool ok_ = true;
};

// False if the message is broken or has a value that no model has.
bool ReadPiece(std::span<const std::byte> message, SentencePieceModel::Piece& piece) {
  FieldReader reader(message);
  Field field;
  while (reader.Next(field)) {
    if (field.number == kPieceText && !field.is_varint) {
      piece.text.assign(reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size());
    } else if (field.number == kPieceScore && field.bytes.size() == sizeof(float)) {
      std::memcpy(&piece.score, field.bytes.data(), sizeof(float));
    } else if (field.number == kPieceKind && field.is_varint) {
      if (field.integer < 1 || field.integer > 6) return false;
      piece.kind = static_cast<SentencePieceModel::Kind>(field.integer);
    }
  }
  return reader.ok() && IsValidUtf8(piece.text) && !std::isnan(piece.score);
}

bool ReadTrainer(std::span<const std::byte> message, SentencePieceModel& model) {
  FieldReader reader(message);
  Field field;
  while (reader.Next(field)) {
    if (!field.is_varint) continue;
    const auto id = static_cast<int32_t>(field.integer);  // negative numbers have all 64 bits
    switch (field.number) {
      case kTrainerAlgorithm:
        if (field.integer < 1 || field.integer > 4) return false;
        model.algorithm = static_cast<SentencePieceModel::Algorithm>(field.integer);
        break;
      case kTrainerUnknown:
        model.unknown_id = id;
        break;
      case kTrainerBos:
        model.bos_id = id;
        break;
      case kTrainerEos:
        model.eos_id = id;
        break;
      case kTrainerPadding:
        model.padding_id = id;
        break;
      default:
        break;
    }
  }
  return reader.ok();
}

bool ReadNormalizer(std::span<const std::byte> message, SentencePieceModel& model) {
  FieldReader reader(message);
  Field field;
  while (reader.Next(field)) {
    if (field.number == kNormalizerDummyPrefix && field.is_varint) {
      model.add_dummy_prefix = field.integer != 0;
    }
  }
  return reader.ok();
}

}  // namespace

Result<SentencePieceModel> ParseSentencePieceModel(std::span<const std::byte> bytes,
                                                   const std::string& name) {
  SentencePieceModel model;
  FieldReader reader(bytes);
  Field field;
  const auto broken = [&](std::string_view what) {
    return InvalidArgument(fmt::format("{}: {}; is it a SentencePiece model?", name, what));
  };
  while (reader.Next(field)) {
    if (field.is_varint) continue;
    if (field.number == kModelPieces) {
      if (model.pieces.size() == kMaxPieces) return broken("has too many pieces");
      if (!ReadPiece(field.bytes, model.pieces.emplace_back())) {
        return broken(fmt::format("piece {} is broken", model.pieces.size() - 1));
      }
    } else if (field.number == kModelTrainer) {
      if (!ReadTrainer(field.bytes, model)) return broken("its trainer_spec is broken");
    } else if (field.number == kModelNormalizer) {
      if (!ReadNormalizer(field.bytes, model)) return broken("its normalizer_spec is broken");
    }
  }
  if (!reader.ok()) return broken("is no protocol buffer, or cut short");
  if (model.pieces.empty()) return broken("has no pieces");
  return model;
}

Result<SentencePieceModel> ReadSentencePieceModel(const std::string& path) {
  Result<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return std::move(file).status().WithContext(path);
  return ParseSentencePieceModel(file->bytes(), path);
}

}  // namespace aio
