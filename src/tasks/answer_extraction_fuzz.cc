// Answers are whatever a model says: nothing in them may crash what looks for the answer. The first
// byte divides the text into an answer and a stub.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tasks/answers.h"
#include "tasks/code_text.h"
#include "tasks/numbers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t cut = text.size() * data[0] / 256;
  aio::CodeTests tests;
  tests.entry_point = "f";
  tests.stub = text.substr(0, cut);
  const std::string_view answer = text.substr(cut);
  const std::string code = aio::ExtractCode(answer, tests.entry_point);
  if (code.size() > answer.size()) std::abort();
  aio::TestProgram(tests, code, "mark");
  aio::ExtractCode(answer, "");
  aio::StubIn(text, "f");

  const auto number = aio::FinalNumber(answer);
  // A canonical form is its own.
  if (number && aio::LastNumber(*number) != number) std::abort();
  const auto letter = aio::ChosenLetter(answer, {"one", std::string(tests.stub), "3"});
  if (letter && *letter > 2) std::abort();
  if (aio::HoldsText(answer, tests.stub) && aio::NormaliseText(tests.stub).empty()) std::abort();
  return 0;
}
