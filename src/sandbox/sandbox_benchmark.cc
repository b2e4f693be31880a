// What locking a program in costs: a run of an empty program, and python3 alone.
#include <benchmark/benchmark.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "sandbox/child_process.h"
#include "sandbox/python_home.h"
#include "sandbox/sandbox.h"

namespace aio {
namespace {

void BM_Sandboxed(benchmark::State& state) {
  const auto sandbox = Sandbox::Create({});
  if (!sandbox.ok()) {
    state.SkipWithError(sandbox.status().ToString().c_str());
    return;
  }
  for (auto _ : state) {
    const auto run = sandbox->RunPython("", {});
    if (!run.ok() || !run->ok()) state.SkipWithError("the program did not run");
  }
}
BENCHMARK(BM_Sandboxed)->Unit(benchmark::kMillisecond)->UseRealTime()->ThreadRange(1, 2);

void PythonAlone(benchmark::State& state, const std::vector<std::string>& flags) {
  const auto home = FindPython("python3");
  const auto null = OpenNull();
  if (!home.ok() || !null.ok()) {
    state.SkipWithError("no python3");
    return;
  }
  ChildCommand command = {.path = home->executable, .arguments = {"python3"}};
  command.arguments.insert(command.arguments.end(), flags.begin(), flags.end());
  command.descriptors = {null->get(), null->get(), null->get()};
  for (auto _ : state) {
    const auto pid = StartChild(command);
    if (!pid.ok() || waitpid(*pid, nullptr, 0) != *pid) state.SkipWithError("cannot start python3");
  }
}

void BM_PythonAlone(benchmark::State& state) { PythonAlone(state, {"-S", "-c", ""}); }
BENCHMARK(BM_PythonAlone)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_PythonWithSite(benchmark::State& state) { PythonAlone(state, {"-I", "-c", ""}); }
BENCHMARK(BM_PythonWithSite)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace aio
