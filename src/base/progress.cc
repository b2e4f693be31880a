#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace aio {

namespace {

constexpr int kBarWidth = 24;
constexpr Duration kRedrawInterval = std::chrono::milliseconds(100);

std::string FormatSeconds(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace

std::string FormatProgress(int64_t done, int64_t total, Duration elapsed) {
  total = std::max<int64_t>(total, 1);
  done = std::clamp<int64_t>(done, 0, total);
  const int filled = static_cast<int>(done * kBarWidth / total);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  std::string line = fmt::format("{}/{} [{}] {}%", done, total, bar, done * 100 / total);
  if (done > 0 && done < total) {
    const double seconds = ToMs(elapsed) / 1000 * static_cast<double>(total - done) / done;
    line += " " + FormatSeconds(std::lround(seconds)) + " left";
  }
  return line;
}

ProgressBar::ProgressBar(std::string label, int64_t total, const Clock& clock)
    : label_(std::move(label)),
      total_(total),
      clock_(clock),
      start_(clock.Now()),
      last_drawn_(start_ - kRedrawInterval),
      enabled_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (enabled_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::Update(int64_t done) {
  if (!enabled_) return;
  const TimePoint now = clock_.Now();
  if (now - last_drawn_ < kRedrawInterval && done < total_) return;
  last_drawn_ = now;
  fmt::print(stderr, "\r\x1b[K{} {}", label_, FormatProgress(done, total_, now - start_));
  std::fflush(stderr);
}

}  // namespace aio
