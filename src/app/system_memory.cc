#include "app/system_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

namespace aio {

namespace {

std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::optional<int64_t> ParseInt(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// The number after `key` in a text of lines "key number".
std::optional<int64_t> FindInt(std::string_view text, std::string_view key) {
  const size_t at = ("\n" + std::string(text)).find("\n" + std::string(key) + " ");
  if (at == std::string_view::npos) return std::nullopt;
  return ParseInt(text.substr(at + key.size()));
}

}  // namespace

Result<int64_t> ParseMemAvailable(std::string_view meminfo) {
  if (const auto kib = FindInt(meminfo, "MemAvailable:")) return *kib * 1024;
  return Internal("/proc/meminfo: no MemAvailable line");
}

std::optional<int64_t> CgroupHeadroomBytes(const std::string& folder) {
  const auto limit = ParseInt(ReadSmallFile(folder + "/memory.max").value_or(""));
  const auto used = ParseInt(ReadSmallFile(folder + "/memory.current").value_or(""));
  if (!limit || !used) return std::nullopt;
  const std::string stat = ReadSmallFile(folder + "/memory.stat").value_or("");
  const int64_t cached =
      FindInt(stat, "inactive_file").value_or(0) + FindInt(stat, "active_file").value_or(0);
  return std::max<int64_t>(0, *limit - *used + cached);
}

Result<int64_t> AvailableMemoryBytes() {
  const auto meminfo = ReadSmallFile("/proc/meminfo");
  if (!meminfo) return Internal("/proc/meminfo cannot be read");
  AIO_ASSIGN_OR_RETURN(const int64_t available, ParseMemAvailable(*meminfo));
  return std::min(available, CgroupHeadroomBytes("/sys/fs/cgroup").value_or(available));
}

Status CheckFits(int64_t needed_bytes, int64_t available_bytes, std::string_view what) {
  if (needed_bytes <= available_bytes) return Status::Ok();
  return ResourceExhausted(
      fmt::format("{} needs {} bytes ({}) of memory, {} bytes ({}) are available: use smaller "
                  "models or a smaller engine.kv_cache_tokens",
                  what, needed_bytes, FormatBytes(needed_bytes), available_bytes,
                  FormatBytes(available_bytes)));
}

std::string FormatBytes(int64_t bytes) {
  const double value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", value / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  if (bytes >= 1'000) return fmt::format("{:.1f} kB", value / 1e3);
  return fmt::format("{} B", bytes);
}

}  // namespace aio
