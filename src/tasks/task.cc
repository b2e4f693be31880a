#include "tasks/task.h"

#include "base/check.h"

namespace aio {

std::string_view AnswerKindName(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::kCode:
      return "code";
    case AnswerKind::kNumber:
      return "number";
    case AnswerKind::kChoice:
      return "choice";
    case AnswerKind::kText:
      return "text";
  }
  return "";
}

std::string ChoiceLetter(size_t index) {
  AIO_CHECK(index < kChoicesMax);
  return std::string(1, static_cast<char>('A' + index));
}

}  // namespace aio
