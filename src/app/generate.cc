#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/response_parts.h"
#include "app/commands.h"
#include "app/print_stats.h"
#include "app/prompt_flags.h"
#include "app/run_to_end.h"
#include "app/runtime.h"
#include "base/toml_table.h"

namespace aio {

namespace {

struct GenerateFlags {
  RuntimeFlags runtime;
  SamplingFlags sampling;
  std::string prompt;
  std::string json_schema_file;  // empty: any text, as the next
  std::string grammar_file;
  bool raw = false;
  bool json = false;
  bool stats = false;
};

OrderedJson AnswerToJson(const CompletedAnswer& answer) {
  return {{"model", answer.start.model},
          {"text", answer.text},
          {"finish_reason", FinishReasonName(answer.finish.reason)},
          {"usage", UsageObject(answer.finish)},
          {"timings", TimingsObject(answer.finish)},
          {"aio", AioObject(answer.start, answer.finish)}};
}

void PrintSummary(const CompletedAnswer& answer) {
  const FinishEvent& finish = answer.finish;
  PrintNote(fmt::format(
      "[{}: {} tokens, {:.1f} tokens/s, first after {:.1f} ms, {}]", answer.start.model,
      finish.usage.completion_tokens, DecodedTokensPerSecond(finish),
      finish.timings.queue_ms + finish.timings.prompt_ms, FinishReasonName(finish.reason)));
}

Status ReadFormat(const GenerateFlags& flags, AnswerFormat& format) {
  if (!flags.json_schema_file.empty()) {
    format = {AnswerFormatKind::kJsonSchema, "", "--json-schema"};
    AIO_ASSIGN_OR_RETURN(format.text, ReadSmallFile(flags.json_schema_file));
  }
  if (!flags.grammar_file.empty()) {
    format = {AnswerFormatKind::kGbnf, "", "--grammar"};
    AIO_ASSIGN_OR_RETURN(format.text, ReadSmallFile(flags.grammar_file));
  }
  return Status::Ok();
}

int RunGenerate(const GenerateFlags& flags) {
  Result<std::string> prompt = ReadPromptArgument(flags.prompt);
  if (!prompt.ok()) return Fail(prompt.status());
  Result<Request> request = flags.sampling.ToRequest();
  if (!request.ok()) {
    Fail(request.status());
    return kExitUsage;
  }
  if (const Status status = ReadFormat(flags, request->format); !status.ok()) return Fail(status);
  if (flags.raw) {
    request->prompt = *prompt;
  } else {
    request->prompt = std::vector<ChatMessage>{{"user", *prompt}};
  }

  Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  Result<std::unique_ptr<Runtime>> runtime = LoadRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());

  AnswerObserver observer;
  if (!flags.json) {
    observer.on_start = [](const StartEvent& event) {
      if (event.decision) PrintNote(fmt::format("[{}]", event.decision->reason));
    };
    observer.on_text = PrintNow;
  }
  Result<CompletedAnswer> answer = RunToEnd(*(*runtime)->router, *std::move(request), observer);
  if (!answer.ok()) return Fail(answer.status());
  if (flags.json) {
    fmt::print("{}\n", ToText(AnswerToJson(*answer), 2));
  } else {
    fmt::print("\n");
    std::fflush(stdout);  // before what goes to the standard error
    if (!flags.stats) PrintSummary(*answer);
  }
  if (flags.stats) PrintNote(FormatStats(*answer));
  return kExitOk;
}

}  // namespace

void RegisterGenerate(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand("generate", "Answer one prompt and exit");
  auto flags = std::make_shared<GenerateFlags>();
  command->add_option("prompt", flags->prompt, "the user's message; - reads standard input")
      ->required();
  command->add_flag("--raw", flags->raw, "no chat template: continue the text as it stands");
  command->add_flag("--json", flags->json, "the answer, decision and what it took as JSON");
  command->add_flag("--stats", flags->stats,
                    "what the answer took: guesses, bytes and times (on standard error)");
  command->add_option("--json-schema", flags->json_schema_file,
                      "the answer is JSON by the schema in this file (docs/structured-output.md)");
  command
      ->add_option("--grammar", flags->grammar_file,
                   "the answer matches the GBNF grammar in this file")
      ->excludes("--json-schema");
  flags->runtime.AddTo(*command);
  flags->sampling.AddTo(*command);
  command->footer("Example:\n  aio generate \"Write a function that adds two numbers.\"");
  command->callback([flags, &exit_status] { exit_status = RunGenerate(*flags); });
}

}  // namespace aio
