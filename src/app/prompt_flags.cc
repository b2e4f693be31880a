#include "app/prompt_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>

#include "base/utf8.h"

namespace aio {

void SamplingFlags::AddTo(CLI::App& command) {
  command.add_option("-m,--model", model, "auto, small, large, a model's name, or auto-TAU")
      ->capture_default_str();
  command.add_option("--strategy", strategy,
                     fmt::format("{} (default: the policy's)", StrategyNames()));
  command
      .add_option("--entropy-threshold", entropy_threshold, "tau in nats, in place of the policy's")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--temperature", temperature, "0 is greedy")->capture_default_str();
  command.add_option("--top-p", top_p)->capture_default_str();
  command.add_option("--top-k", top_k, "0 is off")->capture_default_str();
  command.add_option("--min-p", min_p)->capture_default_str();
  command.add_option("--repetition-penalty", repetition_penalty)->capture_default_str();
  command.add_option("--seed", seed, "with it, the same text every time")->capture_default_str();
  command.add_option("-n,--max-tokens", max_tokens, "0 is until the model ends");
  command.add_option("--stop", stop, "end the answer before this text (repeatable)");
  command.add_flag("--ignore-eos", ignore_eos, "go on past the end of the answer");
}

Result<Request> SamplingFlags::ToRequest() const {
  Request request;
  request.id = "cli";
  request.model = model;
  if (!strategy.empty()) {
    request.strategy = StrategyFromName(strategy);
    if (!request.strategy) {
      return InvalidArgument(
          fmt::format("--strategy {}: unknown; there are {}", strategy, StrategyNames()));
    }
  }
  if (entropy_threshold >= 0) request.entropy_threshold = entropy_threshold;
  SamplingParams& sampling = request.sampling;
  sampling.temperature = static_cast<float>(temperature);
  sampling.top_p = static_cast<float>(top_p);
  sampling.top_k = top_k;
  sampling.min_p = static_cast<float>(min_p);
  sampling.repetition_penalty = static_cast<float>(repetition_penalty);
  sampling.seed = seed;
  if (max_tokens > 0) sampling.max_tokens = max_tokens;
  sampling.stop = stop;
  sampling.ignore_eos = ignore_eos;
  return request;
}

Result<std::string> ReadPromptArgument(const std::string& text) {
  std::string prompt = text;
  if (text == "-") prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (prompt.empty()) return InvalidArgument("the prompt is empty");
  if (const size_t at = FindInvalidUtf8(prompt); at != std::string::npos) {
    return InvalidArgument(fmt::format("the prompt is not UTF-8: ill-formed byte at {}", at));
  }
  return prompt;
}

}  // namespace aio
