#include "traffic/mix.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "eval/suite_draw.h"

namespace aio {
namespace {

template <typename T>
std::optional<T> ReadNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<MixPart> ReadPart(std::string_view text) {
  const auto fault = [&] {
    return InvalidArgument(fmt::format(
        "mix: '{}' is no part of one; write KIND=SHARE, KIND@long=SHARE or KIND@TOKENS=SHARE, "
        "as in code=0.5,qa=0.5",
        text.substr(0, 60)));
  };
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos) return fault();
  std::string_view kind = text.substr(0, equals);
  MixPart part;
  const std::optional<double> share = ReadNumber<double>(text.substr(equals + 1));
  if (!share || !(*share > 0) || !std::isfinite(*share) || *share > 1e6) return fault();
  part.share = *share;
  const size_t at = kind.find('@');
  if (at != std::string_view::npos) {
    const std::string_view context = kind.substr(at + 1);
    const std::optional<int> tokens = ReadNumber<int>(context);
    if (context != "long" && (!tokens || *tokens < 0)) return fault();
    part.context = context == "long" ? MixPart::kLong : *tokens;
    kind = kind.substr(0, at);
  }
  if (kind.empty()) return fault();
  part.kind = kind;
  return part;
}

std::vector<int64_t> CountsOf(const Mix& mix, int64_t requests) {
  std::vector<int64_t> counts;
  std::vector<std::pair<double, size_t>> remainders;
  counts.reserve(mix.parts.size());
  remainders.reserve(mix.parts.size());
  int64_t left = requests;
  for (size_t i = 0; i < mix.parts.size(); ++i) {
    const double exact = mix.parts[i].share * static_cast<double>(requests);
    // A share that is a decimal fraction falls short of a whole number by rounding only.
    const auto whole = static_cast<int64_t>(std::floor(exact + 1e-9));
    counts.push_back(whole);
    remainders.emplace_back(-(exact - static_cast<double>(whole)), i);
    left -= whole;
  }
  std::stable_sort(remainders.begin(), remainders.end());
  for (size_t i = 0; left > 0; ++i, --left) ++counts[remainders[i % remainders.size()].second];
  return counts;
}

std::vector<size_t> ItemsOf(const MixPart& part, const std::vector<WorkloadItem>& items) {
  int longest = 0;
  for (const WorkloadItem& item : items) {
    if (part.Takes(item)) longest = std::max(longest, item.context);
  }
  std::vector<size_t> found;
  for (size_t i = 0; i < items.size(); ++i) {
    const bool right_length = part.context != MixPart::kLong || items[i].context == longest;
    if (part.Takes(items[i]) && right_length) found.push_back(i);
  }
  return found;
}

}  // namespace

bool MixPart::Takes(const WorkloadItem& item) const {
  if (item.intent != kind && item.task != kind) return false;
  return context == kLong ? item.context > 0 : item.context == context;
}

const std::vector<Mix>& Scenarios() {
  static const std::vector<Mix> scenarios = {
      {"A",
       {{"code", MixPart::kShort, 0.7},
        {"qa", MixPart::kShort, 0.2},
        {"math", MixPart::kShort, 0.1}}},
      {"B",
       {{"code", MixPart::kShort, 0.3},
        {"qa", MixPart::kShort, 0.4},
        {"math", MixPart::kShort, 0.3}}},
      {"C", {{"code", MixPart::kLong, 0.5}, {"qa", MixPart::kShort, 0.5}}},
  };
  return scenarios;
}

Result<Mix> FindScenario(std::string_view name) {
  for (const Mix& scenario : Scenarios()) {
    if (name.size() == 1 && (name[0] & ~0x20) == scenario.name[0]) return scenario;
  }
  return InvalidArgument(
      fmt::format("there is no scenario '{}'; there are A, B and C", name.substr(0, 40)));
}

Result<Mix> ParseMix(std::string_view text) {
  Mix mix;
  mix.name = text;
  double sum = 0;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    AIO_ASSIGN_OR_RETURN(MixPart part, ReadPart(text.substr(begin, end - begin)));
    sum += part.share;
    mix.parts.push_back(std::move(part));
    begin = end + 1;
  }
  for (MixPart& part : mix.parts) part.share /= sum;
  return mix;
}

Result<std::vector<size_t>> DrawMix(const Mix& mix, const std::vector<WorkloadItem>& items,
                                    int64_t requests, uint64_t seed) {
  SuiteDraw draw(seed);
  const std::vector<int64_t> counts = CountsOf(mix, requests);
  std::vector<size_t> drawn;
  drawn.reserve(static_cast<size_t>(requests));
  for (size_t i = 0; i < mix.parts.size(); ++i) {
    const MixPart& part = mix.parts[i];
    std::vector<size_t> found = ItemsOf(part, items);
    if (found.empty()) {
      return InvalidArgument(fmt::format(
          "mix {}: no prompt is of kind '{}'{}; name suite files that have some (--suite)",
          mix.name, part.kind,
          part.context == MixPart::kShort  ? std::string(" without added context")
          : part.context == MixPart::kLong ? std::string(" with long context")
                                           : fmt::format(" with context {}", part.context)));
    }
    for (int64_t n = 0; n < counts[i]; ++n) {
      const size_t turn = static_cast<size_t>(n) % found.size();
      if (turn == 0) draw.Shuffle(found);
      drawn.push_back(found[turn]);
    }
  }
  draw.Shuffle(drawn);
  return drawn;
}

}  // namespace aio
