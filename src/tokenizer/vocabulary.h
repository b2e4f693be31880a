// The tokens of a GGUF file: their pieces, kinds and special roles, checked once.
#ifndef AIO_TOKENIZER_VOCABULARY_H_
#define AIO_TOKENIZER_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "tokenizer/token_kind.h"

namespace aio {

class GgufFile;

// Immutable, thread-safe.
class Vocabulary {
 public:
  enum class Model { kBpe, kSpm };  // `tokenizer.ggml.model` gpt2 and llama

  // What has more or longer pieces is refused: it would be no vocabulary but an attack on
  // load time. SentencePiece's are looked at in every way of cutting them in two.
  static constexpr size_t kMaxTokens = size_t{1} << 22;
  static constexpr size_t kMaxBpePieceBytes = 4096;
  static constexpr size_t kMaxSpmPieceBytes = 512;

  // kInvalidArgument or kUnimplemented; names the file and the key.
  static Result<std::unique_ptr<const Vocabulary>> Read(const GgufFile& file);

  Model model() const { return model_; }
  int size() const { return static_cast<int>(kinds_.size()); }
  std::string_view piece(int32_t id) const { return Text(pieces_, id); }
  // What `id` adds to running text: nothing for control and unknown tokens.
  std::string_view bytes(int32_t id) const { return Text(bytes_, id); }
  TokenKind kind(int32_t id) const { return kinds_[id]; }
  bool IsControl(int32_t id) const { return kinds_[id] == TokenKind::kControl; }
  bool IsEndOfGeneration(int32_t id) const { return ends_generation_[id]; }

  // Control and user-defined tokens.
  bool IsSpecial(int32_t id) const {
    return kinds_[id] == TokenKind::kControl || kinds_[id] == TokenKind::kUserDefined;
  }
  // A user-defined token that steers the model like a control token; see tokenizer.h.
  bool IsMarker(int32_t id) const { return markers_[id]; }
  // Whether merges may arrive at `id`. User-defined tokens are found before any merging. At
  // unused tokens only SentencePiece arrives, to go on from there.
  bool IsMergeable(int32_t id) const {
    return kinds_[id] == TokenKind::kNormal ||
           (kinds_[id] == TokenKind::kUnused && model_ == Model::kSpm);
  }

  std::optional<int32_t> Find(std::string_view piece) const;
  std::optional<int32_t> bos() const { return bos_; }
  std::optional<int32_t> eos() const { return eos_; }
  // The token for text that no other token expresses, if the file marks it as such; never
  // a control token.
  std::optional<int32_t> unknown() const { return unknown_; }
  const std::vector<float>& scores() const { return scores_; }  // SPM: one per token

 private:
  // Strings laid end to end: one block instead of one allocation per token.
  struct TextBlock {
    std::vector<char> text;
    std::vector<size_t> ends;
    void Append(std::string_view piece);
  };

  Vocabulary() = default;
  static std::string_view Text(const TextBlock& block, int32_t id) {
    const size_t begin = id == 0 ? 0 : block.ends[id - 1];
    return {block.text.data() + begin, block.ends[id] - begin};
  }

  Status ReadModel(const GgufFile& file);
  Status ReadPieces(const GgufFile& file);
  Status ReadKinds(const GgufFile& file);
  void FindByteTokens();
  Status ReadScores(const GgufFile& file);
  Status IndexPieces(const GgufFile& file);
  Status ReadSpecialIds(const GgufFile& file);
  Status ReadId(const GgufFile& file, std::string_view role, std::optional<int32_t>& id) const;
  void PromoteMarkers(const std::vector<int32_t>& ending_ids);
  void FindEnds(const std::vector<int32_t>& ending_ids);
  Status FindMarkers(const GgufFile& file);
  void FillBytes();

  Model model_ = Model::kBpe;
  TextBlock pieces_;
  TextBlock bytes_;
  std::vector<TokenKind> kinds_;
  std::vector<bool> markers_;
  std::vector<bool> ends_generation_;
  std::vector<float> scores_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views into pieces_
  std::optional<int32_t> bos_, eos_, unknown_;
};

}  // namespace aio

#endif  // AIO_TOKENIZER_VOCABULARY_H_
