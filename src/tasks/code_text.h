// Python code in a model's answer, by its lines: nothing of it is parsed or run here.
#ifndef AIO_TASKS_CODE_TEXT_H_
#define AIO_TASKS_CODE_TEXT_H_

#include <string>
#include <string_view>

#include "tasks/task.h"

namespace aio {

// Of ASCII letters, digits and "_", not beginning with a digit.
bool IsIdentifier(std::string_view name);

// Whether a line begins with "def NAME(" or "async def NAME(".
bool DefinesFunction(std::string_view code, std::string_view name);

// The program in a prompt that an answer may go on from: from its first line of code (or of the
// fenced block) on, if `entry_point` is defined there; else empty.
std::string StubIn(std::string_view prompt, std::string_view entry_point);

// The code of an answer:
//   1. the first fenced block (```) that defines the function, or else the first of all; a block
//      whose end is missing goes on to the end of the text;
//   2. without a block, what stands between [BEGIN] and [DONE], or of these before or after one;
//   3. else the text. If it has the function (or, without an entry point, any), it begins at its
//      first line of code and ends where, after the function, an unindented line is no definition,
//      import, assignment, comment, decorator or closing bracket. If it has not, it is the rest of
//      a function, and ends before the first unindented line after its first.
std::string ExtractCode(std::string_view answer, std::string_view entry_point);

// What is run of an item's answer, without its tests: `code` with what stands before the function
// in the stub, if it defines the function; else the stub with `code` after it, indented if it is
// not. Without a stub, `code` alone.
std::string JoinStub(const CodeTests& tests, std::string_view code);

// The whole program: answer, setup, tests, the call of check(), and a last line that prints
// `mark`. A program that did all of it ends its output in that line; one that left early does not.
std::string TestProgram(const CodeTests& tests, std::string_view code, std::string_view mark);

}  // namespace aio

#endif  // AIO_TASKS_CODE_TEXT_H_
