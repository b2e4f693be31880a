#include "engine/engine_thread.h"

#include <exception>
#include <string>
#include <utility>

#include "base/check.h"

namespace aio {

namespace {

std::vector<double> BandwidthWeights(const std::vector<std::unique_ptr<ModelRunner>>& runners) {
  std::vector<double> weights;
  weights.reserve(runners.size());
  for (const auto& runner : runners) weights.push_back(runner->model().bandwidth_weight);
  return weights;
}

}  // namespace

EngineThread::EngineThread(std::vector<std::unique_ptr<ModelRunner>> runners)
    : runners_(std::move(runners)),
      share_(BandwidthWeights(runners_)),
      has_work_(runners_.size()),
      thread_([this] { Run(); }) {}

void EngineThread::Stop() {
  if (!thread_.joinable()) return;
  AIO_CHECK(std::this_thread::get_id() != thread_.get_id(),
            "the engine cannot be destroyed from one of its own callbacks");
  inbox_->Close();
  thread_.join();
}

void EngineThread::Run() {
  std::vector<Command> commands;
  for (bool is_open = true; is_open;) {
    is_open = inbox_->Collect(/*wait=*/!HasWork(), commands);
    for (Command& command : commands) Apply(command);
    commands.clear();
    if (is_open) StepNext();
  }
  for (const auto& runner : runners_) {
    runner->AbortAll([](bool was_running) {
      return was_running ? Cancelled("the engine is shutting down")
                         : Unavailable("the engine is shutting down");
    });
  }
}

void EngineThread::Apply(Command& command) {
  if (auto* submit = std::get_if<SubmitCommand>(&command)) {
    runners_[submit->model]->Add(std::move(submit->sequence));
  } else if (const auto* cancel = std::get_if<CancelCommand>(&command)) {
    runners_[cancel->model]->Cancel(cancel->sequence);
  }
}

bool EngineThread::HasWork() const {
  for (const auto& runner : runners_) {
    if (runner->has_work()) return true;
  }
  return false;
}

void EngineThread::StepNext() {
  bool others_wait = false;
  for (int i = 0; i < num_models(); ++i) has_work_[i] = runners_[i]->has_work();
  const int next = share_.Next(has_work_);
  if (next < 0) return;
  for (int i = 0; i < num_models(); ++i) others_wait |= i != next && has_work_[i];
  ModelRunner& runner = *runners_[next];
  try {
    share_.Charge(next, runner.Step(others_wait));
  } catch (const std::exception& e) {
    const std::string what = e.what();
    runner.AbortAll([&](bool) { return Internal("the engine's step failed: " + what); });
  }
}

}  // namespace aio
