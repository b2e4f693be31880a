#include "tasks/grader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <optional>
#include <utility>

#include "base/sha256.h"
#include "base/utf8.h"
#include "tasks/answers.h"
#include "tasks/code_text.h"
#include "tasks/numbers.h"

namespace aio {

namespace {

constexpr size_t kWhyBytesMax = 200;

std::string Shortened(std::string_view text) {
  const bool whole = text.size() <= kWhyBytesMax;
  std::string shown = ReplaceInvalidUtf8(text.substr(0, kWhyBytesMax));
  return whole ? shown : shown + "...";
}

std::string LastLine(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const size_t begin = text.rfind('\n');
  return Shortened(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

std::string WhyItFailed(const SandboxedRun& run) {
  switch (run.end) {
    case SandboxedRun::End::kSignalled:
      return fmt::format("killed by signal {}", run.status);
    case SandboxedRun::End::kCpuLimit:
      return "over the CPU limit";
    case SandboxedRun::End::kWallLimit:
      return "over the time limit";
    case SandboxedRun::End::kOutputLimit:
      return "over the output limit";
    case SandboxedRun::End::kExited:
      break;
  }
  if (run.status == 0) return "ended before the tests did";
  const std::string line = LastLine(run.errors);
  return line.empty() ? fmt::format("exit status {}", run.status) : line;
}

bool EndsInLine(std::string_view output, std::string_view line) {
  if (output.ends_with('\n')) output.remove_suffix(1);
  if (!output.ends_with(line)) return false;
  output.remove_suffix(line.size());
  return output.empty() || output.back() == '\n';
}

Grade GradeNumber(const TaskItem& item, std::string_view text) {
  const std::optional<std::string> number = FinalNumber(text);
  if (!number) return {false, "", "no number"};
  const bool right = *number == item.answers.front();
  return {right, *number,
          fmt::format("{} is{} {}", *number, right ? "" : " not", item.answers.front())};
}

Grade GradeChoice(const TaskItem& item, std::string_view text) {
  const std::optional<size_t> chosen = ChosenLetter(text, item.choices);
  if (!chosen) return {false, "", "no choice is named"};
  const std::string letter = ChoiceLetter(*chosen);
  const bool right = letter == item.answers.front();
  return {right, letter,
          fmt::format("{} is{} {}", letter, right ? "" : " not", item.answers.front())};
}

Grade GradeAccepted(const TaskItem& item, std::string_view text) {
  for (const std::string& answer : item.answers) {
    if (item.exact ? IsText(text, answer) : HoldsText(text, answer)) {
      return {true, answer, fmt::format("{} \"{}\"", item.exact ? "is" : "holds", answer)};
    }
  }
  return {
      false, "",
      fmt::format("{} none of: {}", item.exact ? "is" : "holds", fmt::join(item.answers, "; "))};
}

std::string_view WithoutSpaces(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

RunPython RunIn(const Sandbox& sandbox, const SandboxLimits& limits) {
  return
      [&sandbox, limits](std::string_view program) { return sandbox.RunPython(program, limits); };
}

Result<SandboxedRun> Grader::RunOnce(const std::string& program) const {
  const std::string key = Sha256Hex(program);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto it = ended_.find(key); it != ended_.end()) return it->second;
  }
  AIO_ASSIGN_OR_RETURN(SandboxedRun run, run_(program));
  if (run.end != SandboxedRun::End::kExited) return run;  // a busy machine may be why
  const std::lock_guard<std::mutex> lock(mutex_);
  return ended_.emplace(key, std::move(run)).first->second;
}

Result<Grade> Grader::GradeCode(const TaskItem& item, std::string_view text) const {
  AIO_CHECK(run_ != nullptr, "code is graded by running it");
  Grade grade;
  grade.answer = ExtractCode(text, item.code.entry_point);
  if (WithoutSpaces(grade.answer).empty()) {
    grade.why = "no code";
    return grade;
  }
  // What the answer's own output cannot be by chance.
  const std::string mark = "done " + Sha256Hex(item.id + "\n" + grade.answer);
  AIO_ASSIGN_OR_RETURN(const SandboxedRun run, RunOnce(TestProgram(item.code, grade.answer, mark)));
  grade.right = run.ok() && EndsInLine(run.output, mark);
  grade.why = grade.right ? "passed" : WhyItFailed(run);
  return grade;
}

Result<Grade> Grader::GradeText(AnswerKind kind, const TaskItem& item,
                                std::string_view text) const {
  switch (kind) {
    case AnswerKind::kCode:
      return GradeCode(item, text);
    case AnswerKind::kNumber:
      return GradeNumber(item, text);
    case AnswerKind::kChoice:
      return GradeChoice(item, text);
    case AnswerKind::kText:
      break;
  }
  return GradeAccepted(item, text);
}

Grade GradeByLikelihood(const TaskItem& item, const std::vector<TokenLogprob>& top) {
  std::vector<double> probabilities(item.choices.size(), 0);
  for (const TokenLogprob& token : top) {
    const std::string_view text = WithoutSpaces(token.bytes);
    for (size_t i = 0; i < probabilities.size(); ++i) {
      if (text == ChoiceLetter(i)) probabilities[i] += std::exp(static_cast<double>(token.logprob));
    }
  }
  size_t best = 0;
  for (size_t i = 1; i < probabilities.size(); ++i) {
    if (probabilities[i] > probabilities[best]) best = i;
  }
  if (probabilities.empty() || probabilities[best] <= 0) {
    return {false, "", fmt::format("no letter among the {} most probable tokens", top.size())};
  }
  std::string shown;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    shown += fmt::format("{}{} {:.4f}", i == 0 ? "" : ", ", ChoiceLetter(i), probabilities[i]);
  }
  const std::string letter = ChoiceLetter(best);
  return {letter == item.answers.front(), letter, shown};
}

}  // namespace aio
