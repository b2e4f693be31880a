// How each chat template family writes a conversation.
#ifndef AIO_TOKENIZER_CHAT_FAMILIES_H_
#define AIO_TOKENIZER_CHAT_FAMILIES_H_

#include <span>
#include <string_view>

namespace aio {

// What stands before and after a message's text.
struct TurnMarks {
  std::string_view open;
  std::string_view close;
};

struct ChatFamily {
  // Where the system message goes: a turn of its own, or into a user turn after its opening.
  enum class SystemPlace { kAnywhere, kFirst, kInFirstUser, kInLastUser };

  std::string_view name;
  TurnMarks system;
  TurnMarks user;
  TurnMarks assistant;
  std::string_view generation;  // opens the answer
  SystemPlace system_place = SystemPlace::kAnywhere;
  bool alternates = false;  // user and assistant must take turns, the user first
  bool trims_system = false;
  bool trims_user = false;
  bool trims_assistant = false;
  std::string_view user_again = {};  // before every user turn but the first
  bool always_has_system = false;    // an empty one if the conversation has none

  bool system_joins_user() const {
    return system_place == SystemPlace::kInFirstUser || system_place == SystemPlace::kInLastUser;
  }
};

std::span<const ChatFamily> AllChatFamilies();

// Null if there is none. Knows a few other names too ("mistral", "tinyllama", ...).
const ChatFamily* FindChatFamily(std::string_view name);

}  // namespace aio

#endif  // AIO_TOKENIZER_CHAT_FAMILIES_H_
