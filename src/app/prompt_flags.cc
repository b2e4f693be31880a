#include "app/prompt_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <optional>

#include "base/utf8.h"

namespace aio {

namespace {

Result<std::optional<Strategy>> ToStrategy(const SamplingFlags& flags) {
  const int guesses = flags.num_speculative_tokens;
  if (flags.strategy.empty() && guesses < 0) return std::optional<Strategy>();
  if (flags.strategy.empty() && guesses == 0) return std::optional(Strategy{});
  // A number alone leaves the kind to `auto`.
  const std::optional<Strategy> named = flags.strategy.empty()
                                            ? DefaultStrategy(StrategyKind::kAuto)
                                            : StrategyFromName(flags.strategy);
  if (!named) {
    return InvalidArgument(
        fmt::format("--strategy {}: unknown; there are {}", flags.strategy, StrategyNames()));
  }
  if (guesses < 0) return named;
  if ((named->kind == StrategyKind::kPlain) != (guesses == 0)) {
    return InvalidArgument(
        fmt::format("--num-speculative-tokens {} contradicts --strategy {}; remove one of the two",
                    guesses, flags.strategy));
  }
  Strategy strategy = *named;
  if (guesses > 0) strategy.num_speculative_tokens = guesses;
  return std::optional(strategy);
}

Status CheckWeights(const std::string& weights) {
  if (weights.empty() || weights == kW8A16) return Status::Ok();
  return InvalidArgument(
      fmt::format("--weights {}: unknown; give {}, or \"\" for the model's own", weights, kW8A16));
}

}  // namespace

void SamplingFlags::AddTo(CLI::App& command) {
  command.add_option("-m,--model", model, "auto, small, large, a model's name, or auto-TAU")
      ->capture_default_str();
  command.add_option("--strategy", strategy,
                     fmt::format("{} (default: the policy's)", StrategyNames()));
  command
      .add_option("--num-speculative-tokens", num_speculative_tokens,
                  "guesses a step; alone: auto with at most so many, 0 is plain")
      ->check(CLI::Range(0, kSpeculativeTokensMax));
  command.add_option_function<std::string>(
      "--weights", [this](const std::string& name) { weights = name; },
      fmt::format("{}, or \"\" for the model's own (default: the policy's)", kW8A16));
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
  AIO_ASSIGN_OR_RETURN(request.strategy, ToStrategy(*this));
  if (weights) AIO_RETURN_IF_ERROR(CheckWeights(*weights));
  request.weights = weights;
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
