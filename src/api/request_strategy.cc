// A body may say how to decode in several places. Each is read on its own into one or two wishes;
// wishes that exclude each other are refused in pairs, the rest make one strategy.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/faults.h"
#include "api/request_parts.h"

namespace aio {
namespace {

constexpr IntRange kGuesses = {.min = 1, .max = kSpeculativeTokensMax};
constexpr IntRange kGuessesOrOff = {.min = 0, .max = kSpeculativeTokensMax};

// What one field asks for. Plain decoding is both its kind and no guesses, so that it excludes
// other kinds and numbers alike.
struct Wish {
  std::string field;
  std::string value;  // as JSON, for faults
  std::optional<StrategyKind> kind;
  std::optional<int> guesses;  // a step
};
using Wishes = std::vector<Wish>;

bool Exclude(const Wish& a, const Wish& b) {
  return (a.kind && b.kind && *a.kind != *b.kind) ||
         (a.guesses && b.guesses && *a.guesses != *b.guesses);
}

Wish Plain(std::string field, std::string value) {
  return {std::move(field), std::move(value), StrategyKind::kPlain, 0};
}

// `guesses` = 0 turns speculation off.
Wish Guesses(std::string field, std::string value, int guesses,
             std::optional<StrategyKind> kind = std::nullopt) {
  if (guesses == 0) return Plain(std::move(field), std::move(value));
  return {std::move(field), std::move(value), kind, guesses};
}

Status DecodeName(const std::string& name, const std::string& path, Strategy& strategy,
                  Wishes& wishes) {
  const std::optional<Strategy> found = StrategyFromName(name);
  if (!found) return BadValue(path, fmt::format("there are {}.", StrategyNames()));
  strategy = *found;
  const std::string value = fmt::format("\"{}\"", name);
  wishes.push_back(strategy.kind == StrategyKind::kPlain
                       ? Plain(path, value)
                       : Wish{path, value, strategy.kind, std::nullopt});
  return Status::Ok();
}

// Refuses the parameters that strategies of this kind do not have.
Status RefuseForeign(const ObjectReader& reader, StrategyKind kind) {
  const auto refuse = [&](std::string_view name) {
    if (reader.Find(name) == nullptr) return Status::Ok();
    return BadValue(reader.Path(name),
                    fmt::format("\"{}\" has no such parameter; leave it out.", StrategyName(kind)));
  };
  const bool looks_up = kind == StrategyKind::kPromptLookup || kind == StrategyKind::kAuto;
  if (!looks_up) {
    AIO_RETURN_IF_ERROR(refuse("prompt_lookup_max"));
    AIO_RETURN_IF_ERROR(refuse("prompt_lookup_min"));
  }
  return kind == StrategyKind::kPlain ? refuse("num_speculative_tokens") : Status::Ok();
}

Status DecodeParameters(const ObjectReader& reader, Strategy& strategy, Wishes& wishes) {
  AIO_RETURN_IF_ERROR(RefuseForeign(reader, strategy.kind));
  AIO_RETURN_IF_ERROR(reader.Read("prompt_lookup_max", {.min = 1, .max = kPromptLookupMax},
                                  strategy.prompt_lookup_max));
  AIO_RETURN_IF_ERROR(reader.Read("prompt_lookup_min",
                                  {.min = 1, .max = strategy.prompt_lookup_max},
                                  strategy.prompt_lookup_min));
  std::optional<int> guesses;
  AIO_RETURN_IF_ERROR(reader.Read("num_speculative_tokens", kGuesses, guesses));
  if (guesses) {
    wishes.push_back(
        Guesses(reader.Path("num_speculative_tokens"), fmt::format("{}", *guesses), *guesses));
  }
  return Status::Ok();
}

// `aio.strategy`: a name, or an object of a name and parameters.
Status DecodeOwn(const ObjectReader& body, std::optional<Strategy>& strategy, Wishes& wishes) {
  const nlohmann::json* aio = body.Find("aio");
  if (aio == nullptr) return Status::Ok();
  const std::string path = "aio.strategy";
  const nlohmann::json* json = ObjectReader(*aio).Find("strategy");
  if (json == nullptr) return Status::Ok();
  strategy.emplace();
  if (json->is_string()) {
    return DecodeName(json->get_ref<const std::string&>(), path, *strategy, wishes);
  }
  if (!json->is_object()) return WrongType(path, "a name or an object", *json);
  const ObjectReader reader(*json, path);
  AIO_RETURN_IF_ERROR(reader.RefuseUnknown(
      {"kind", "prompt_lookup_max", "prompt_lookup_min", "num_speculative_tokens"}));
  std::string kind;
  AIO_RETURN_IF_ERROR(reader.ReadRequired("kind", "the name of a strategy", kind));
  AIO_RETURN_IF_ERROR(DecodeName(kind, reader.Path("kind"), *strategy, wishes));
  return DecodeParameters(reader, *strategy, wishes);
}

Status DecodeGuesses(const ObjectReader& body, const char* name, std::optional<StrategyKind> kind,
                     Wishes& wishes) {
  std::optional<int> guesses;
  AIO_RETURN_IF_ERROR(body.Read(name, kGuessesOrOff, guesses));
  if (guesses) wishes.push_back(Guesses(name, fmt::format("{}", *guesses), *guesses, kind));
  return Status::Ok();
}

// llama-server's: documented as one key with a dot in it, sent by some clients as an object.
Status DecodeLlamaServers(const ObjectReader& body, Wishes& wishes) {
  if (const nlohmann::json* json = body.Find("speculative")) {
    if (!json->is_object()) return WrongType("speculative", "an object", *json);
    std::optional<int> guesses;
    AIO_RETURN_IF_ERROR(ObjectReader(*json, "speculative").Read("n_max", kGuessesOrOff, guesses));
    if (guesses) {
      wishes.push_back(
          Guesses("speculative", fmt::format("{{\"n_max\": {}}}", *guesses), *guesses));
    }
  }
  return DecodeGuesses(body, "speculative.n_max", std::nullopt, wishes);
}

Status DecodeSwitch(const ObjectReader& body, Wishes& wishes) {
  bool off = false;
  AIO_RETURN_IF_ERROR(body.Read("disable_spec_decode", off));
  if (off) wishes.push_back(Plain("disable_spec_decode", "true"));
  return Status::Ok();
}

Status RefuseContradictions(const Wishes& wishes) {
  for (size_t i = 0; i < wishes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Wish& one = wishes[j];
      const Wish& other = wishes[i];
      if (!Exclude(one, other)) continue;
      return BadValue(other.field, fmt::format("{} contradicts '{}', which is {}; remove one of "
                                               "the two.",
                                               other.value, one.field, one.value));
    }
  }
  return Status::Ok();
}

// Of wishes that agree. A number alone leaves the kind to `auto`.
Strategy Combine(const Wishes& wishes) {
  Strategy strategy = DefaultStrategy(StrategyKind::kAuto);
  for (const Wish& wish : wishes) {
    if (wish.kind) strategy = DefaultStrategy(*wish.kind);
  }
  return strategy;
}

}  // namespace

Status DecodeStrategy(const ObjectReader& body, std::optional<Strategy>& strategy) {
  Wishes wishes;
  AIO_RETURN_IF_ERROR(DecodeOwn(body, strategy, wishes));
  AIO_RETURN_IF_ERROR(
      DecodeGuesses(body, "prompt_lookup_num_tokens", StrategyKind::kPromptLookup, wishes));
  AIO_RETURN_IF_ERROR(DecodeGuesses(body, "num_speculative_tokens", std::nullopt, wishes));
  AIO_RETURN_IF_ERROR(DecodeLlamaServers(body, wishes));
  AIO_RETURN_IF_ERROR(DecodeSwitch(body, wishes));
  AIO_RETURN_IF_ERROR(RefuseContradictions(wishes));
  if (wishes.empty()) return Status::Ok();
  if (!strategy) strategy = Combine(wishes);
  for (const Wish& wish : wishes) {
    if (wish.guesses.value_or(0) > 0) strategy->num_speculative_tokens = *wish.guesses;
  }
  return Status::Ok();
}

}  // namespace aio
