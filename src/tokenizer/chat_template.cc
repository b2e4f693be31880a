#include "tokenizer/chat_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "formats/gguf.h"
#include "tokenizer/chat_families.h"
#include "tokenizer/jinja_chat.h"
#include "tokenizer/jinja_text.h"

namespace aio {
namespace {

using Place = ChatFamily::SystemPlace;

constexpr char kTemplateKey[] = "tokenizer.chat_template";

std::string FamilyNames() { return fmt::format("{}", fmt::join(ChatTemplate::Families(), ", ")); }

// The piece the file's end-of-sequence token is written as, or "".
std::string_view EosPiece(const GgufFile& file) {
  const Result<int64_t> id = file.GetInt("tokenizer.ggml.eos_token_id");
  const Result<std::vector<std::string_view>> pieces = file.GetStringArray("tokenizer.ggml.tokens");
  if (!id.ok() || !pieces.ok() || *id < 0) return {};
  return static_cast<uint64_t>(*id) < pieces->size() ? (*pieces)[*id] : std::string_view();
}

enum class Trim { kNone, kEnd, kBoth };

std::string_view Trimmed(std::string_view text, Trim trim) {
  constexpr std::string_view kSpaces = " \t\n\r\v\f";
  if (trim == Trim::kNone) return text;
  text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
  if (trim == Trim::kBoth) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  }
  return text;
}

// Collects pieces; neighbouring template text becomes one piece.
class PieceList {
 public:
  void Template(std::string_view text) {
    if (text.empty()) return;
    if (pieces_.empty() || !pieces_.back().is_template) pieces_.push_back({"", true});
    pieces_.back().text += text;
  }
  void Content(std::string_view text) {
    if (!text.empty()) pieces_.push_back({std::string(text), false});
  }
  std::vector<TextPiece> Take() { return std::move(pieces_); }

 private:
  std::vector<TextPiece> pieces_;
};

Status RoleFault(size_t index, std::string message) {
  return InvalidArgument(std::move(message)).WithParam(fmt::format("messages[{}].role", index));
}

Status CheckRoles(const ChatFamily& family, std::span<const ChatTurn> turns) {
  if (turns.empty()) return InvalidArgument("there are no messages").WithParam("messages");
  std::string_view expected = "user";
  for (size_t i = 0; i < turns.size(); ++i) {
    const std::string_view role = turns[i].role;
    if (role != "system" && role != "user" && role != "assistant") {
      return RoleFault(i, fmt::format("the chat template \"{}\" has no role \"{}\"; expected "
                                      "\"system\", \"user\" or \"assistant\"",
                                      family.name, role));
    }
    if (role == "system") {
      if (i == 0 || family.system_place == Place::kAnywhere) continue;
      return RoleFault(i, fmt::format("the chat template \"{}\" takes a system message only as "
                                      "the first message",
                                      family.name));
    }
    if (family.alternates && role != expected) {
      return RoleFault(i, fmt::format("the chat template \"{}\" needs user and assistant messages "
                                      "in turn, the user's first; expected \"{}\"",
                                      family.name, expected));
    }
    expected = role == "user" ? "assistant" : "user";
  }
  const auto is_user = [](const ChatTurn& turn) { return turn.role == "user"; };
  if (family.system_joins_user() && std::none_of(turns.begin(), turns.end(), is_user)) {
    return InvalidArgument(fmt::format("the chat template \"{}\" writes the system message into "
                                       "a user message, and there is none",
                                       family.name))
        .WithParam("messages");
  }
  return Status::Ok();
}

}  // namespace

// Renders one conversation whose roles have been checked.
class ChatTemplate::Renderer {
 public:
  Renderer(const ChatTemplate& chat_template, std::span<const ChatTurn> turns)
      : template_(chat_template), family_(*chat_template.family_), turns_(turns) {
    if (turns.front().role != "system" || !family_.system_joins_user()) return;
    system_ = turns.front().content;
    joins_system_ = true;
    for (size_t i = 1; i < turns.size(); ++i) {
      if (turns[i].role != "user") continue;
      system_turn_ = i;
      if (family_.system_place == Place::kInFirstUser) break;
    }
  }

  std::vector<TextPiece> Render(bool add_generation_prompt) {
    if (turns_.front().role != "system" && template_.default_system_) AddDefaultSystem();
    for (size_t i = 0; i < turns_.size(); ++i) AddTurn(i);
    if (add_generation_prompt) {
      pieces_.Template(family_.generation);
      pieces_.Template(template_.generation_suffix_);
    }
    return pieces_.Take();
  }

 private:
  void AddDefaultSystem() {
    pieces_.Template(family_.system.open);
    pieces_.Template(template_.system_preface_);
    pieces_.Template(*template_.default_system_);
    pieces_.Template(family_.system.close);
  }

  void AddTurn(size_t i) {
    const ChatTurn& turn = turns_[i];
    if (turn.role == "system") {
      if (!joins_system_) AddSystem(turn.content, i == 0);
    } else if (turn.role == "user") {
      AddUser(turn.content, i);
    } else {
      AddAssistant(turn.content, i);
    }
  }

  void AddSystem(std::string_view content, bool first) {
    pieces_.Template(family_.system.open);
    if (first) pieces_.Template(template_.system_preface_);
    pieces_.Content(Trimmed(content, family_.trims_system ? Trim::kBoth : Trim::kNone));
    pieces_.Template(family_.system.close);
  }

  void AddUser(std::string_view content, size_t i) {
    if (seen_user_) pieces_.Template(family_.user_again);
    seen_user_ = true;
    pieces_.Template(family_.user.open);
    const bool with_system = joins_system_ && i == system_turn_;
    if (with_system) {
      pieces_.Template(family_.system.open);
      pieces_.Content(system_);
      pieces_.Template(family_.system.close);
    }
    // The templates trim the joined text, whose start is the system message's.
    const Trim trim = !family_.trims_user ? Trim::kNone : with_system ? Trim::kEnd : Trim::kBoth;
    pieces_.Content(Trimmed(content, trim));
    pieces_.Template(family_.user.close);
  }

  void AddAssistant(std::string_view content, size_t i) {
    pieces_.Template(family_.assistant.open);
    if (template_.drops_thinking_ && i + 1 < turns_.size()) content = WithoutThinking(content);
    pieces_.Content(Trimmed(content, family_.trims_assistant ? Trim::kBoth : Trim::kNone));
    pieces_.Template(family_.assistant.close);
    if (i + 1 < turns_.size()) pieces_.Template(template_.after_answer_);
  }

  // Reasoning models are not shown the reasoning of earlier answers.
  std::string_view WithoutThinking(std::string_view content) const {
    constexpr std::string_view kEnd = "</think>";
    const size_t end = content.rfind(kEnd);
    if (end == std::string_view::npos) return content;
    content.remove_prefix(end + kEnd.size());
    if (template_.trims_after_thinking_) {
      content.remove_prefix(std::min(content.find_first_not_of('\n'), content.size()));
    }
    return content;
  }

  const ChatTemplate& template_;
  const ChatFamily& family_;
  std::span<const ChatTurn> turns_;
  std::string_view system_;  // to be joined to a user turn
  bool joins_system_ = false;
  size_t system_turn_ = 0;
  bool seen_user_ = false;
  PieceList pieces_;
};

ChatTemplate::ChatTemplate(const ChatFamily& family) : family_(&family) {
  if (family.always_has_system) default_system_ = "";
}

Result<ChatTemplate> ChatTemplate::FromName(std::string_view family) {
  const ChatFamily* found = FindChatFamily(family);
  if (found == nullptr) {
    return NotFound(fmt::format("there is no chat template family \"{}\"; there are {}", family,
                                FamilyNames()));
  }
  return ChatTemplate(*found);
}

Result<ChatTemplate> ChatTemplate::FromGguf(const GgufFile& file, const Clock* clock) {
  if (file.FindValue(kTemplateKey) == nullptr) {
    return NotFound(
        fmt::format("{}: metadata key \"{}\" is missing; name the family of the "
                    "model's chat template: {}",
                    file.path(), kTemplateKey, FamilyNames()));
  }
  AIO_ASSIGN_OR_RETURN(const std::string_view jinja, ReadJinja(file));
  static const SystemClock machine;
  Result<JinjaChat> parsed = JinjaChat::Parse(file, jinja, clock != nullptr ? *clock : machine);
  std::string fault = parsed.ok() ? "" : parsed.status().message();
  std::shared_ptr<const JinjaChat> run;
  if (parsed.ok()) run = std::make_shared<JinjaChat>(*std::move(parsed));

  const ChatFamily* family = FindChatFamily(RecogniseChatFamily(jinja, EosPiece(file)));
  std::optional<ChatTemplate> chat_template;
  if (family != nullptr) {
    chat_template = ChatTemplate(*family);
    chat_template->ReadVariant(jinja);
  }
  ChatComparison comparison;
  if (run != nullptr) {
    const auto renders = [](const void* own, std::span<const ChatTurn> turns, bool opens_answer) {
      return static_cast<const ChatTemplate*>(own)->RenderFamily(turns, opens_answer);
    };
    comparison = CompareChats(*run, chat_template ? ChatRenderer(renders) : nullptr,
                              chat_template ? &*chat_template : nullptr);
    fault = comparison.fault;
  }
  if (comparison.written == 0) {
    if (chat_template) return *std::move(chat_template);
    return Unimplemented(fmt::format(
        "{}: metadata key \"{}\" holds a chat template that is not recognised and cannot be run "
        "({}); if the model follows one of these, name it (chat_template of the model in the "
        "configuration): {}",
        file.path(), kTemplateKey, fault, FamilyNames()));
  }
  if (!chat_template || comparison.different > 0) chat_template = ChatTemplate(run);
  chat_template->jinja_ = run;
  chat_template->has_tools_ = run->WritesTools();
  if (chat_template->has_tools_) chat_template->call_format_ = run->CallFormat();
  return *std::move(chat_template);
}

// What models of one family do differently, by the text that does it in their templates.
void ChatTemplate::ReadVariant(std::string_view jinja) {
  const auto contains = [jinja](std::string_view part) {
    return jinja.find(part) != std::string_view::npos;
  };
  const std::string_view name = family_->name;
  if (name == "chatml") {
    default_system_ = FindLiteralBetween(jinja, family_->system.open, "<|im_end|>");
    if (!default_system_) default_system_ = FindAssignedLiteral(jinja, "system_message");
  }
  if (name == "deepseek-coder") {
    constexpr std::string_view kStart = "You are an AI programming assistant, ";
    constexpr std::string_view kEnd = "you will refuse to answer";
    if (const auto middle = FindLiteralBetween(jinja, kStart, kEnd)) {
      default_system_ = fmt::format("{}{}{}\n", kStart, *middle, kEnd);
    }
  }
  if (name == "llama-3" && contains("Cutting Knowledge Date: December 2023")) {
    // Llama 3.1 and later; the date is the one the template falls back to.
    system_preface_ = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
    default_system_ = "";
  }
  if (name == "deepseek-v3" && contains("<｜Assistant｜><think>\\n")) {
    generation_suffix_ = "<think>\n";
  }
  if (name == "mistral-v0" && contains("eos_token + ' '")) after_answer_ = " ";
  drops_thinking_ = contains("split('</think>')");
  trims_after_thinking_ = contains("lstrip('\\n')");
}

std::vector<std::string_view> ChatTemplate::Families() {
  std::vector<std::string_view> names;
  for (const ChatFamily& family : AllChatFamilies()) names.push_back(family.name);
  return names;
}

std::string_view ChatTemplate::family() const {
  return family_ != nullptr ? family_->name : std::string_view("jinja");
}

Status ChatTemplate::CheckTools(std::span<const ChatTurn> turns, const ChatOptions& options) const {
  if (has_tools_) return Status::Ok();
  const std::string who = jinja_ != nullptr ? "the model's chat template"
                                            : fmt::format("the chat template \"{}\"", family());
  if (!options.tools.empty()) {
    return InvalidArgument(fmt::format("{} has no tools; leave 'tools' out", who))
        .WithParam("tools");
  }
  for (size_t i = 0; i < turns.size(); ++i) {
    if (!turns[i].calls.empty()) {
      return InvalidArgument(
                 fmt::format("{} has no tools, so no calls of them; leave them out", who))
          .WithParam(fmt::format("messages[{}].tool_calls", i));
    }
  }
  return Status::Ok();
}

Result<std::vector<TextPiece>> ChatTemplate::Render(std::span<const ChatTurn> turns,
                                                    const ChatOptions& options) const {
  AIO_RETURN_IF_ERROR(CheckTools(turns, options));
  const bool uses_tools =
      !options.tools.empty() || std::any_of(turns.begin(), turns.end(), [](const ChatTurn& turn) {
        return !turn.calls.empty() || turn.role == "tool";
      });
  const bool runs = family_ == nullptr || (uses_tools && has_tools_);
  if (runs) return jinja_->Render(turns, options);
  return RenderFamily(turns, options.add_generation_prompt);
}

Result<std::vector<TextPiece>> ChatTemplate::RenderFamily(std::span<const ChatTurn> turns,
                                                          bool add_generation_prompt) const {
  AIO_RETURN_IF_ERROR(CheckRoles(*family_, turns));
  return Renderer(*this, turns).Render(add_generation_prompt);
}

}  // namespace aio
