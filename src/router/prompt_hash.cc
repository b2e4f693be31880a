#include "router/prompt_hash.h"

#include <string_view>

#include "base/sha256.h"

namespace aio {
namespace {

void AddPart(Sha256& hash, std::string_view part) {
  hash.AddInteger(part.size());
  hash.Add(part);
}

struct AddPrompt {
  Sha256& hash;

  void operator()(const std::vector<ChatMessage>& messages) const {
    AddPart(hash, "chat");
    hash.AddInteger(messages.size());
    for (const ChatMessage& message : messages) {
      AddPart(hash, message.role);
      AddPart(hash, message.content);
    }
  }
  void operator()(const std::string& text) const {
    AddPart(hash, "text");
    AddPart(hash, text);
  }
  void operator()(const std::vector<int32_t>& tokens) const {
    AddPart(hash, "tokens");
    hash.AddInteger(tokens.size());
    for (const int32_t token : tokens) hash.AddInteger(static_cast<uint64_t>(token));
  }
};

}  // namespace

std::string PromptHash(const Prompt& prompt) {
  Sha256 hash;
  std::visit(AddPrompt{hash}, prompt);
  return hash.Hex();
}

}  // namespace aio
