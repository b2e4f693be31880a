// Answers in a model's text that are no code and no number (tasks/numbers.h).
#ifndef AIO_TASKS_ANSWERS_H_
#define AIO_TASKS_ANSWERS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aio {

// The index of the choice that an answer names; the first of these that finds one:
//   1. the last letter after "answer is", "answer:", or the Chinese for them, perhaps with
//      brackets or asterisks around it;
//   2. a letter that the text begins with, alone or before one of ". ) : ," or a line's end,
//      perhaps after an opening bracket or asterisks;
//   3. the last letter in brackets, "(B)";
//   4. the last letter that stands alone, but for "A" and "I", which are words too;
//   5. the text of a choice, if it holds that of exactly one (as HoldsText()).
// Letters are capitals, of one of the `choices`.
std::optional<size_t> ChosenLetter(std::string_view text, const std::vector<std::string>& choices);

// Lower-case in ASCII, what is no letter, digit or part of a character beyond ASCII as one space,
// none at the ends, without the words "a", "an" and "the".
std::string NormaliseText(std::string_view text);

// Whether the normalised text is `wanted`, normalised; ...
bool IsText(std::string_view text, std::string_view wanted);
// ... or holds it as whole words. Beside a character beyond ASCII any place is a word's end, for
// Chinese has no spaces. False for a `wanted` of which nothing is left.
bool HoldsText(std::string_view text, std::string_view wanted);

}  // namespace aio

#endif  // AIO_TASKS_ANSWERS_H_
