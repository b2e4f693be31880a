#include "app/bench_mixed.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "traffic/load_generator.h"
#include "traffic/load_summary.h"

namespace aio {

namespace {

class MixedBenchmark {
 public:
  MixedBenchmark(const std::vector<MixedConfiguration>& configurations, const Workload& workload,
                 const MixedOptions& options, Waiter& waiter, const Clock& clock)
      : configurations_(configurations),
        workload_(workload),
        options_(options),
        waiter_(waiter),
        clock_(clock),
        runs_(configurations.size()) {}

  Result<std::vector<ConfigurationRuns>> Run() {
    AIO_RETURN_IF_ERROR(WarmUp());
    for (int repeat = 0; repeat < options_.repeat; ++repeat) RunOnce(repeat);
    return std::move(runs_);
  }

 private:
  size_t num_requests() const { return workload_.requests.size(); }

  // Requests that a configuration answers before the next one's turn.
  size_t SliceRequests() const {
    constexpr size_t kSlicesOfConcurrency = 4;  // so that the ends of slices, which are not full,
                                                // weigh little
    if (options_.concurrency == 0) return num_requests();
    if (options_.concurrency == 1) return 1;
    return kSlicesOfConcurrency * static_cast<size_t>(options_.concurrency);
  }

  LoadRequest Put(const MixedConfiguration& configuration, const WorkloadRequest& asked) const {
    LoadRequest load = asked.load;
    load.request = configuration.Put(asked.load.request);
    return load;
  }

  Status WarmUp() {
    constexpr int kTokens = 4;
    for (const MixedConfiguration& configuration : configurations_) {
      LoadRequest load = Put(configuration, workload_.requests.front());
      load.arrival = Duration{};
      load.request.sampling.max_tokens = kTokens;
      const auto records = RunLoad(*configuration.backend, {load}, {}, waiter_, clock_);
      if (!records.front().error.ok()) {
        return Status(records.front().error).WithContext("configuration " + configuration.name);
      }
    }
    return Status::Ok();
  }

  void RunOnce(int repeat) {
    for (ConfigurationRuns& runs : runs_) runs.emplace_back();
    const size_t step = SliceRequests();
    size_t turn = static_cast<size_t>(repeat);
    for (size_t first = 0; first < num_requests(); first += step, ++turn) {
      const size_t end = std::min(num_requests(), first + step);
      for (size_t i = 0; i < configurations_.size(); ++i) {
        RunSlice((i + turn) % configurations_.size(), first, end);
      }
    }
  }

  void RunSlice(size_t index, size_t first, size_t end) {
    const MixedConfiguration& configuration = configurations_[index];
    std::vector<LoadRequest> loads;
    loads.reserve(end - first);
    for (size_t i = first; i < end; ++i) {
      loads.push_back(Put(configuration, workload_.requests[i]));
    }
    LoopOptions loop{.concurrency = options_.concurrency};
    loop.on_done = [&](int64_t done) { Tell(done_ + done); };
    std::vector<LoadRecord> records = RunLoad(*configuration.backend, loads, loop, waiter_, clock_);
    done_ += static_cast<int64_t>(records.size());
    MixedRun& run = runs_[index].back();
    run.seconds += SpanSeconds(records);
    std::move(records.begin(), records.end(), std::back_inserter(run.records));
  }

  void Tell(int64_t done) const {
    const auto total =
        static_cast<int64_t>(num_requests() * configurations_.size()) * options_.repeat;
    if (options_.progress) options_.progress(done, total);
  }

  const std::vector<MixedConfiguration>& configurations_;
  const Workload& workload_;
  const MixedOptions& options_;
  Waiter& waiter_;
  const Clock& clock_;
  std::vector<ConfigurationRuns> runs_;
  int64_t done_ = 0;
};

Status NothingAnswered(const std::string& name, const ConfigurationRuns& runs) {
  const LoadRecord* failed = nullptr;
  for (const MixedRun& run : runs) {
    for (const LoadRecord& record : run.records) {
      if (record.error.ok()) return Status::Ok();
      failed = &record;
    }
  }
  if (failed == nullptr) return Status::Ok();
  return Status(failed->error).WithContext("configuration " + name + " answered nothing");
}

}  // namespace

Result<std::vector<ConfigurationRuns>> RunMixed(
    const std::vector<MixedConfiguration>& configurations, const Workload& workload,
    const MixedOptions& options, Waiter& waiter, const Clock& clock) {
  AIO_CHECK(!configurations.empty() && !workload.requests.empty() && options.repeat >= 1);
  AIO_ASSIGN_OR_RETURN(std::vector<ConfigurationRuns> runs,
                       MixedBenchmark(configurations, workload, options, waiter, clock).Run());
  for (size_t i = 0; i < runs.size(); ++i) {
    AIO_RETURN_IF_ERROR(NothingAnswered(configurations[i].name, runs[i]));
  }
  return runs;
}

Result<std::vector<MixedGrades>> GradeMixed(const std::vector<ConfigurationRuns>& runs,
                                            const Workload& workload, const GradeAnswer& grade) {
  std::map<std::pair<int, std::string>, std::optional<bool>> known;  // by item and text
  std::vector<MixedGrades> grades(runs.size());
  for (size_t c = 0; c < runs.size(); ++c) {
    grades[c].right.resize(workload.requests.size());
    for (size_t i = 0; i < workload.requests.size(); ++i) {
      const int item = workload.requests[i].item;
      if (item < 0) continue;
      double right = 0;
      bool judged = false;
      for (const MixedRun& run : runs[c]) {
        const LoadRecord& record = run.records[i];
        const auto [found, is_new] = known.try_emplace({item, record.text}, std::nullopt);
        if (is_new) {
          AIO_ASSIGN_OR_RETURN(found->second,
                               grade(workload.items[static_cast<size_t>(item)], record.text));
        }
        judged = judged || found->second.has_value();
        if (record.error.ok() && found->second.value_or(false)) ++right;
      }
      if (judged) grades[c].right[i] = right / static_cast<double>(runs[c].size());
    }
  }
  return grades;
}

}  // namespace aio
