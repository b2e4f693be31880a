// Any bytes as a model file: a tokenizer and a chat template, or errors that say why not.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "formats/gguf.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace aio {
namespace {

// Pieces of the file among them, so that its own special tokens are tried.
std::string TextFor(const Tokenizer& tokenizer) {
  std::string text = "Hi 12\n\n  é我\xFF<|im_end|></s> ";
  for (int32_t id = 0; id < tokenizer.vocabulary_size() && text.size() < 4096; ++id) {
    text += tokenizer.TokenPiece(id);
  }
  return text;
}

void CheckIds(const Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool may_control) {
  for (const int32_t id : ids) {
    AIO_CHECK(id >= 0 && id < tokenizer.vocabulary_size(), "an id that is no token");
    AIO_CHECK(may_control || !tokenizer.IsControl(id), "a control token in the text of a user");
  }
  AIO_CHECK(tokenizer.Decode(ids, /*with_special=*/true).size() >= tokenizer.Decode(ids).size());
}

void CheckTokenizer(const Tokenizer& tokenizer, const ChatTemplate* chat_template) {
  const std::string text = TextFor(tokenizer);
  CheckIds(tokenizer, tokenizer.EncodeText(text, /*add_bos=*/false), /*may_control=*/false);
  CheckIds(tokenizer, tokenizer.EncodeTemplate(text, /*add_bos=*/true), /*may_control=*/true);
  if (chat_template == nullptr) return;
  const ChatTurn turns[] = {{"user", text}, {"assistant", "<think></think>A"}, {"user", "U"}};
  const auto pieces = chat_template->Render(turns, /*add_generation_prompt=*/true);
  if (!pieces.ok()) {  // a file's own template may refuse what it likes
    AIO_CHECK(pieces.status().code() == StatusCode::kInvalidArgument &&
              chat_template->family() == "jinja");
    return;
  }
  CheckIds(tokenizer, tokenizer.Encode(*pieces, /*add_bos=*/true), /*may_control=*/true);
}

}  // namespace
}  // namespace aio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = aio::GgufFile::Parse(bytes, "input.gguf");
  if (!file.ok()) return 0;
  const auto chat_template = aio::ChatTemplate::FromGguf(**file);
  const auto tokenizer = aio::Tokenizer::Load(**file);
  for (const aio::Status& status : {chat_template.status(), tokenizer.status()}) {
    AIO_CHECK(status.ok() || status.message().starts_with("input.gguf: "),
              "an error names the file");
  }
  if (!tokenizer.ok()) return 0;
  aio::CheckTokenizer(**tokenizer, chat_template.ok() ? &*chat_template : nullptr);
  return 0;
}
