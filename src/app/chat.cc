#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/response_parts.h"
#include "app/commands.h"
#include "app/print_stats.h"
#include "app/prompt_flags.h"
#include "app/run_to_end.h"
#include "app/runtime.h"
#include "base/utf8.h"

namespace aio {

namespace {

struct ChatFlags {
  RuntimeFlags runtime;
  SamplingFlags sampling;
  std::string system;
  bool json = false;
  bool stats = false;
};

// One conversation on the terminal. Each answer is preceded by the decision that chose
// who gives it.
class Conversation {
 public:
  Conversation(const ChatFlags& flags, Backend& backend, Request base)
      : backend_(backend),
        base_(std::move(base)),
        system_(flags.system),
        json_(flags.json),
        stats_(flags.stats) {
    interactive_ = isatty(STDIN_FILENO) == 1 && !json_;
    Reset();
  }

  int Run() {
    if (interactive_) fmt::print("Say something; /reset starts anew, /quit (or Ctrl-D) ends.\n");
    std::string line;
    while (Prompt() && std::getline(std::cin, line)) {
      if (line.empty()) continue;
      if (line == "/quit") break;
      if (line == "/reset") {
        Reset();
      } else {
        Turn(line);
      }
    }
    if (interactive_) fmt::print("\n");
    return exit_status_;
  }

 private:
  bool Prompt() const {
    if (interactive_) {
      fmt::print("\x1b[1m> \x1b[0m");
      std::fflush(stdout);
    }
    return true;
  }

  void Reset() {
    messages_.clear();
    if (!system_.empty()) messages_.push_back({"system", system_});
  }

  // A turn that fails is taken back, so that the conversation can go on without it.
  void Turn(const std::string& text) {
    messages_.push_back({"user", ReplaceInvalidUtf8(text)});
    Request request = base_;
    request.prompt = messages_;
    AnswerObserver observer;
    if (!json_) {
      observer.on_start = [this](const StartEvent& event) { ShowDecision(event); };
      observer.on_text = [](std::string_view piece) { PrintNow(piece); };
    }
    Result<CompletedAnswer> answer = RunToEnd(backend_, std::move(request), observer);
    if (!answer.ok()) {
      exit_status_ = Fail(answer.status());
      messages_.pop_back();
      return;
    }
    messages_.push_back({"assistant", answer->text});
    if (json_) {
      const OrderedJson out = {{"model", answer->start.model},
                               {"text", answer->text},
                               {"aio", AioObject(answer->start, answer->finish)}};
      fmt::print("{}\n", ToText(out));
    } else {
      fmt::print("\n");
      if (stats_) PrintDim(FormatStats(*answer));
    }
    std::fflush(stdout);
  }

  void ShowDecision(const StartEvent& event) const {
    if (!event.decision) return;
    PrintDim(fmt::format("[{}: {}]", event.model, event.decision->reason));
  }

  void PrintDim(const std::string& text) const {
    const char* dim = interactive_ ? "\x1b[2m" : "";
    const char* plain = interactive_ ? "\x1b[0m" : "";
    fmt::print("{}{}{}\n", dim, text, plain);
  }

  Backend& backend_;
  Request base_;
  std::string system_;
  std::vector<ChatMessage> messages_;
  bool json_;
  bool stats_;
  bool interactive_ = false;
  int exit_status_ = kExitOk;
};

int RunChat(const ChatFlags& flags) {
  Result<Request> base = flags.sampling.ToRequest();
  if (!base.ok()) {
    Fail(base.status());
    return kExitUsage;
  }
  Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  Result<std::unique_ptr<Runtime>> runtime = LoadRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  return Conversation(flags, *(*runtime)->router, *std::move(base)).Run();
}

}  // namespace

void RegisterChat(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand("chat", "Talk with the models on the terminal");
  auto flags = std::make_shared<ChatFlags>();
  command->add_option("--system", flags->system, "a system message");
  command->add_flag("--json", flags->json, "one JSON object an answer; reads one line a turn");
  command->add_flag("--stats", flags->stats,
                    "after each answer what it took: guesses, bytes and times (--json has it too)");
  flags->runtime.AddTo(*command);
  flags->sampling.AddTo(*command);
  command->footer("Example:\n  aio chat --model auto --stats");
  command->callback([flags, &exit_status] { exit_status = RunChat(*flags); });
}

}  // namespace aio
