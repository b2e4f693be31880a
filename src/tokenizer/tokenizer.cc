#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "formats/gguf.h"
#include "tokenizer/fingerprint.h"
#include "tokenizer/plain_encoder.h"
#include "tokenizer/special_matcher.h"
#include "tokenizer/vocabulary.h"

namespace aio {
namespace {

// Neighbouring plain text, copied only where it comes from more than one piece.
class PlainRun {
 public:
  bool empty() const { return text_.empty(); }
  std::string_view text() const { return text_; }

  void Append(std::string_view text) {
    if (text.empty()) return;
    if (text_.empty()) {
      text_ = text;
      return;
    }
    if (buffer_.empty()) buffer_ = text_;
    buffer_ += text;
    text_ = buffer_;
  }
  void Clear() {
    text_ = {};
    buffer_.clear();
  }

 private:
  std::string_view text_;  // the one piece, or buffer_
  std::string buffer_;
};

class VocabularyTokenizer final : public Tokenizer {
 public:
  VocabularyTokenizer(std::unique_ptr<const Vocabulary> vocabulary,
                      std::unique_ptr<const PlainEncoder> encoder)
      : vocabulary_(std::move(vocabulary)),
        encoder_(std::move(encoder)),
        adds_bos_(encoder_->adds_bos() && vocabulary_->bos().has_value()),
        kind_(encoder_->kind()) {
    FindSpecialPieces();
  }

  Status ReadOptions(const GgufFile& file);
  void FillFingerprint();  // after ReadOptions()

  std::vector<int32_t> Encode(std::span<const TextPiece> pieces, bool add_bos) const override;

  std::string_view TokenBytes(int32_t id) const override {
    return IsToken(id) ? vocabulary_->bytes(id) : std::string_view();
  }
  std::string_view TokenPiece(int32_t id) const override {
    return IsToken(id) ? vocabulary_->piece(id) : std::string_view();
  }
  bool IsControl(int32_t id) const override { return IsToken(id) && vocabulary_->IsControl(id); }
  TokenKind Kind(int32_t id) const override {
    return IsToken(id) ? vocabulary_->kind(id) : TokenKind::kUnused;
  }
  bool IsEndOfGeneration(int32_t id) const override {
    return IsToken(id) && vocabulary_->IsEndOfGeneration(id);
  }
  int vocabulary_size() const override { return vocabulary_->size(); }
  std::optional<int32_t> bos() const override { return vocabulary_->bos(); }
  std::optional<int32_t> eos() const override { return vocabulary_->eos(); }
  std::optional<int32_t> FindSpecial(std::string_view piece) const override;
  bool adds_space_prefix() const override { return encoder_->adds_space_prefix(); }
  std::string_view kind() const override { return kind_; }
  uint64_t fingerprint() const override { return fingerprint_; }

 private:
  // Encodes plain text up to the next special token.
  class EncodingPass;

  bool IsToken(int32_t id) const { return id >= 0 && id < vocabulary_->size(); }
  void FindSpecialPieces();

  std::unique_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<const PlainEncoder> encoder_;
  SpecialMatcher template_pieces_;  // control tokens and markers: in template text alone
  SpecialMatcher text_pieces_;      // user-defined tokens that are ordinary text
  bool adds_bos_;
  bool strips_after_special_ = false;
  std::string kind_;
  uint64_t fingerprint_ = 0;
};

class VocabularyTokenizer::EncodingPass {
 public:
  // `ids` holds the beginning-of-sequence token or nothing.
  EncodingPass(const VocabularyTokenizer& tokenizer, std::vector<int32_t>& ids)
      : tokenizer_(tokenizer), ids_(ids), has_bos_(!ids.empty()) {}

  void AddTemplate(std::string_view text) {
    size_t done = 0;
    while (const auto match = tokenizer_.template_pieces_.FindNext(text, done)) {
      AddPlain(text.substr(done, match->begin - done));
      AddSpecial(match->id);
      done = match->begin + match->length;
    }
    AddPlain(text.substr(done));
  }

  void AddPlain(std::string_view text) {
    if (strip_) {
      text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\v\f"), text.size()));
      if (!text.empty()) strip_ = false;
    }
    run_.Append(text);
  }

  void Flush() {
    const std::string_view text = run_.text();
    size_t done = 0;
    while (const auto match = tokenizer_.text_pieces_.FindNext(text, done)) {
      EncodePlain(text.substr(done, match->begin - done));
      ids_.push_back(match->id);
      starts_text_ = true;
      done = match->begin + match->length;
    }
    EncodePlain(text.substr(done));
    run_.Clear();
  }

 private:
  void AddSpecial(int32_t id) {
    Flush();
    const bool doubles_bos = has_bos_ && ids_.size() == 1 && ids_[0] == id;
    if (!doubles_bos) ids_.push_back(id);
    has_bos_ = false;
    starts_text_ = true;
    strip_ = tokenizer_.strips_after_special_ && id != tokenizer_.bos() &&
             tokenizer_.TokenPiece(id) != "<|endoftext|>";
  }

  void EncodePlain(std::string_view text) {
    while (!text.empty()) {
      const std::string_view part = text.substr(0, PlainEncoder::kMaxBytes);
      tokenizer_.encoder_->Encode(part, starts_text_, ids_);
      starts_text_ = false;
      text.remove_prefix(part.size());
    }
  }

  const VocabularyTokenizer& tokenizer_;
  std::vector<int32_t>& ids_;
  PlainRun run_;
  bool has_bos_;             // and nothing came after it
  bool starts_text_ = true;  // nothing or a special token stands before the run
  bool strip_ = false;       // whitespace at the start of the run is to be dropped
};

Status VocabularyTokenizer::ReadOptions(const GgufFile& file) {
  constexpr char kAddBosKey[] = "tokenizer.ggml.add_bos_token";
  if (file.FindValue(kAddBosKey) != nullptr) {
    AIO_ASSIGN_OR_RETURN(adds_bos_, file.GetBool(kAddBosKey));
    if (adds_bos_ && !vocabulary_->bos()) {
      return InvalidArgument(file.path() + ": metadata key \"" + kAddBosKey +
                             "\" is true, but \"tokenizer.ggml.bos_token_id\" is missing");
    }
  }
  // Phi-3's special tokens take the whitespace after them along ("rstrip"), which GGUF does
  // not record: its template's line breaks never reach the model.
  const Result<std::string_view> architecture = file.GetString("general.architecture");
  strips_after_special_ = architecture.ok() && *architecture == "phi3" &&
                          vocabulary_->model() == Vocabulary::Model::kSpm;
  return Status::Ok();
}

void VocabularyTokenizer::FindSpecialPieces() {
  std::vector<SpecialMatcher::Piece> in_templates, in_text;
  for (int32_t id = 0; id < vocabulary_->size(); ++id) {
    if (!vocabulary_->IsSpecial(id)) continue;
    const SpecialMatcher::Piece piece = {vocabulary_->piece(id), id};
    const bool steers = vocabulary_->IsControl(id) || vocabulary_->IsMarker(id);
    (steers ? in_templates : in_text).push_back(piece);
  }
  template_pieces_ = SpecialMatcher(std::move(in_templates));
  text_pieces_ = SpecialMatcher(std::move(in_text));
}

// Files of one model family differ in how many unused tokens pad the vocabulary; byte-level
// BPE never produces those, so they do not count.
void VocabularyTokenizer::FillFingerprint() {
  const bool bpe = vocabulary_->model() == Vocabulary::Model::kBpe;
  Fingerprint fingerprint;
  fingerprint.Add(encoder_->fingerprint());
  for (int32_t id = 0; id < vocabulary_->size(); ++id) {
    if (bpe && vocabulary_->kind(id) == TokenKind::kUnused) continue;
    fingerprint.Add(id).Add(vocabulary_->piece(id)).Add(static_cast<int>(vocabulary_->kind(id)));
    fingerprint.Add(vocabulary_->IsMarker(id));
  }
  for (const float score : vocabulary_->scores()) fingerprint.Add(std::bit_cast<uint32_t>(score));
  fingerprint.Add(vocabulary_->bos().value_or(-1)).Add(vocabulary_->unknown().value_or(-1));
  fingerprint.Add(adds_bos_).Add(strips_after_special_);
  fingerprint_ = fingerprint.value();
}

std::vector<int32_t> VocabularyTokenizer::Encode(std::span<const TextPiece> pieces,
                                                 bool add_bos) const {
  std::vector<int32_t> ids;
  if (add_bos && adds_bos_) ids.push_back(*vocabulary_->bos());
  EncodingPass pass(*this, ids);
  for (const TextPiece& piece : pieces) {
    if (piece.is_template) {
      pass.AddTemplate(piece.text);
    } else {
      pass.AddPlain(piece.text);
    }
  }
  pass.Flush();
  return ids;
}

std::optional<int32_t> VocabularyTokenizer::FindSpecial(std::string_view piece) const {
  const std::optional<int32_t> id = vocabulary_->Find(piece);
  return id && vocabulary_->IsSpecial(*id) ? id : std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::Load(const GgufFile& file) {
  AIO_ASSIGN_OR_RETURN(auto vocabulary, Vocabulary::Read(file));
  const bool bpe = vocabulary->model() == Vocabulary::Model::kBpe;
  AIO_ASSIGN_OR_RETURN(auto encoder,
                       bpe ? MakeBpeEncoder(file, *vocabulary) : MakeSpmEncoder(file, *vocabulary));
  auto tokenizer = std::make_shared<VocabularyTokenizer>(std::move(vocabulary), std::move(encoder));
  AIO_RETURN_IF_ERROR(tokenizer->ReadOptions(file));
  tokenizer->FillFingerprint();
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

TokenKind Tokenizer::Kind(int32_t id) const {
  if (id < 0 || id >= vocabulary_size()) return TokenKind::kUnused;
  return IsControl(id) ? TokenKind::kControl : TokenKind::kNormal;
}

std::vector<int32_t> Tokenizer::EncodeText(std::string_view text, bool add_bos) const {
  const TextPiece piece = {std::string(text), false};
  return Encode({&piece, 1}, add_bos);
}

std::vector<int32_t> Tokenizer::EncodeTemplate(std::string_view text, bool add_bos) const {
  const TextPiece piece = {std::string(text), true};
  return Encode({&piece, 1}, add_bos);
}

std::string Tokenizer::Decode(std::span<const int32_t> ids, bool with_special) const {
  std::string out;
  bool drop_space = adds_space_prefix();
  for (const int32_t id : ids) {
    std::string_view bytes = TokenBytes(id);
    if (with_special && IsControl(id)) {
      bytes = TokenPiece(id);
    } else if (drop_space && bytes.starts_with(' ')) {
      bytes.remove_prefix(1);
      drop_space = false;
    }
    if (!bytes.empty()) drop_space = false;
    out += bytes;
  }
  return out;
}

}  // namespace aio
