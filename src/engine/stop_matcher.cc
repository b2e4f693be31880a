#include "engine/stop_matcher.h"

#include <algorithm>

#include "base/check.h"

namespace aio {

namespace {

// borders[i]: length of the longest proper prefix of stop[0..i] that is also its suffix.
std::vector<size_t> Borders(std::string_view stop) {
  std::vector<size_t> borders(stop.size(), 0);
  size_t length = 0;
  for (size_t i = 1; i < stop.size(); ++i) {
    while (length > 0 && stop[i] != stop[length]) length = borders[length - 1];
    if (stop[i] == stop[length]) ++length;
    borders[i] = length;
  }
  return borders;
}

}  // namespace

StopMatcher::StopMatcher(const std::vector<std::string>& stops) {
  for (const std::string& stop : stops) {
    AIO_CHECK(!stop.empty());
    patterns_.push_back({stop, Borders(stop)});
  }
}

void StopMatcher::Pattern::Advance(char byte) {
  // A complete match ends the answer, so length < stop.size() here.
  while (length > 0 && stop[length] != byte) length = fallback[length - 1];
  if (stop[length] == byte) ++length;
}

void StopMatcher::Push(std::string_view text, std::string& shown) {
  if (matched()) return;
  for (const char byte : text) {
    withheld_ += byte;
    for (Pattern& pattern : patterns_) {
      pattern.Advance(byte);
      const bool is_complete = pattern.length == pattern.stop.size();
      if (is_complete && pattern.length > match_.size()) match_ = pattern.stop;
    }
    if (!matched()) continue;
    shown.append(withheld_, 0, withheld_.size() - match_.size());
    withheld_.clear();
    return;
  }
  size_t keep = 0;
  for (const Pattern& pattern : patterns_) keep = std::max(keep, pattern.length);
  const size_t safe = withheld_.size() - keep;
  shown.append(withheld_, 0, safe);
  withheld_.erase(0, safe);
}

void StopMatcher::Flush(std::string& shown) {
  shown += withheld_;
  withheld_.clear();
}

}  // namespace aio
