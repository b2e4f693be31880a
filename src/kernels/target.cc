#include "kernels/target.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>

#include "kernels/simd_targets.h"
//
#include <hwy/highway.h>
#include <hwy/targets.h>

namespace aio {
namespace {

struct NamedTarget {
  const char* name;
  int64_t bit;
  bool vnni = false;  // AVX-512 VNNI beside it
};

// Best first. Our names, not Highway's: AVX3 is its name for what everybody else calls
// AVX-512 (F, BW, DQ, VL).
constexpr NamedTarget kTargets[] = {
    {"avx512_vnni", HWY_AVX3, true},
    {"avx512", HWY_AVX3},
    {"avx2", HWY_AVX2},
    {"sse4", HWY_SSE4},
    {"neon", HWY_NEON},
    {"scalar", HWY_SCALAR},
};

std::atomic<const NamedTarget*> g_active{nullptr};

bool CpuHasVnni() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") != 0;
#else
  return false;
#endif
}

bool IsAvailable(const NamedTarget& target) {
  if (target.vnni && !CpuHasVnni()) return false;
  if (target.bit == HWY_SCALAR) return true;
  return (HWY_TARGETS & hwy::SupportedTargets() & target.bit) != 0;
}

void Activate(const NamedTarget& target) {
  hwy::GetChosenTarget().Update(target.bit);
  g_active.store(&target, std::memory_order_release);
}

void ActivateBest() {
  for (const NamedTarget& target : kTargets) {
    if (IsAvailable(target)) return Activate(target);
  }
}

// AIO_TARGET, or empty. Nothing of ours writes the environment while threads run.
std::string_view EnvironmentTarget() {
  const char* name = std::getenv("AIO_TARGET");  // NOLINT(concurrency-mt-unsafe)
  return name == nullptr ? "" : name;
}

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

}  // namespace

std::vector<std::string> AvailableTargets() {
  std::vector<std::string> names;
  for (const NamedTarget& target : kTargets) {
    if (IsAvailable(target)) names.emplace_back(target.name);
  }
  return names;
}

std::string_view ActiveTarget() {
  internal::EnsureTargetChosen();
  return g_active.load(std::memory_order_acquire)->name;
}

Status SelectTarget(std::string_view name) {
  for (const NamedTarget& target : kTargets) {
    if (name != target.name) continue;
    if (!IsAvailable(target)) {
      return InvalidArgument(
          "instruction set \"" + std::string(name) +
          "\" is not available on this machine; available: " + Join(AvailableTargets()));
    }
    Activate(target);
    return Status::Ok();
  }
  return InvalidArgument("unknown instruction set \"" + std::string(name) +
                         "\"; available: " + Join(AvailableTargets()));
}

Status SelectTargetFromEnvironment() {
  const std::string_view name = EnvironmentTarget();
  if (name.empty()) {
    internal::EnsureTargetChosen();
    return Status::Ok();
  }
  return SelectTarget(name).WithContext("AIO_TARGET");
}

namespace internal {

bool HasVnni() { return g_active.load(std::memory_order_acquire)->vnni; }

void EnsureTargetChosen() {
  if (g_active.load(std::memory_order_acquire) != nullptr) [[likely]]
    return;
  static std::once_flag once;
  std::call_once(once, [] {
    if (g_active.load(std::memory_order_acquire) != nullptr) return;
    const std::string_view name = EnvironmentTarget();
    if (name.empty() || !SelectTarget(name).ok()) ActivateBest();
  });
}

}  // namespace internal
}  // namespace aio
