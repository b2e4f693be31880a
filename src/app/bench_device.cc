#include "app/bench_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/file_shape.h"
#include "app/read_bandwidth.h"
#include "app/system_memory.h"
#include "engine/fair_share.h"
#include "sim/fit_device.h"
#include "traffic/load_generator.h"

namespace aio {

namespace {

// What is measured of each model.
struct DeviceStep {
  bool prompt = false;
  int rows = 1;  // prompt tokens, or requests at once
};

constexpr int kContext = 64;  // of the answers' prompts
constexpr int kAnswerTokens = 32;
constexpr int kRequestsMax = 16;
constexpr int kPromptMax = 256;
constexpr DeviceStep kSteps[] = {{false, 1},  {false, 2},  {false, 4},        {false, 8},
                                 {false, 16}, {true, 8},   {true, 16},        {true, 32},
                                 {true, 64},  {true, 128}, {true, kPromptMax}};

EngineOptions Options(int threads) {
  EngineOptions options;
  options.num_threads = threads;
  options.max_running = kRequestsMax;
  options.max_draft_tokens = 0;
  options.prefill_chunk_tokens = kPromptMax;
  options.kv_cache_tokens = kRequestsMax * (kContext + kAnswerTokens) * 2;
  options.prefix_caching = false;
  // No prompt is held back for the sake of answers: all are to answer together.
  options.prefill_step_max = std::chrono::minutes(1);
  return options;
}

class DeviceBenchmark {
 public:
  static Result<std::unique_ptr<DeviceBenchmark>> Create(std::vector<EmbeddedModel> models,
                                                         const DeviceBenchOptions& options,
                                                         const Clock& clock) {
    std::unique_ptr<DeviceBenchmark> benchmark(
        new DeviceBenchmark(std::move(models), options, clock));
    AIO_ASSIGN_OR_RETURN(
        benchmark->engine_,
        EmbeddedBackend::Create(benchmark->models_, Options(options.threads), clock));
    return benchmark;
  }

  // ms of the step.
  Result<double> Run(size_t model, const DeviceStep& step) {
    return step.prompt ? PromptMs(model, step.rows) : AnswerMs(model, step.rows);
  }

  double ReadGbPerSecond() {
    return ReadBandwidth(models_.back().model->packed_weights(), readers_, clock_);
  }

 private:
  DeviceBenchmark(std::vector<EmbeddedModel> models, const DeviceBenchOptions& options,
                  const Clock& clock)
      : models_(std::move(models)), clock_(clock), readers_(options.threads) {}

  LoadRequest MakeRequest(size_t model, int prompt_tokens, int answer_tokens) {
    const int vocabulary = models_[model].tokenizer->vocabulary_size();
    std::vector<int32_t> prompt(static_cast<size_t>(prompt_tokens));
    ++requests_;
    for (size_t i = 0; i < prompt.size(); ++i) {
      const auto place = static_cast<int64_t>(i);
      prompt[i] = static_cast<int32_t>((requests_ * 104'729 + place * 7919 + 11) % vocabulary);
    }
    LoadRequest load;
    load.request.model = models_[model].name;
    load.request.prompt = std::move(prompt);
    load.request.sampling.temperature = 0;
    load.request.sampling.max_tokens = answer_tokens;
    load.request.sampling.ignore_eos = true;
    return load;
  }

  Result<std::vector<LoadRecord>> Answer(const std::vector<LoadRequest>& requests) {
    std::vector<LoadRecord> records = RunLoad(
        *engine_, requests, {.concurrency = static_cast<int>(requests.size())}, waiter_, clock_);
    for (const LoadRecord& record : records) AIO_RETURN_IF_ERROR(record.error);
    return records;
  }

  Result<double> PromptMs(size_t model, int tokens) {
    AIO_ASSIGN_OR_RETURN(const auto records, Answer({MakeRequest(model, tokens, 1)}));
    return ToMs(records[0].to_first_token());
  }

  // The median time between two tokens of a request, while all have begun and none has ended.
  Result<double> AnswerMs(size_t model, int count) {
    std::vector<LoadRequest> requests;
    requests.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) requests.push_back(MakeRequest(model, kContext, kAnswerTokens));
    AIO_ASSIGN_OR_RETURN(const auto records, Answer(requests));
    Duration begin{};
    Duration end = Duration::max();
    for (const LoadRecord& record : records) {
      begin = std::max(begin, record.arrivals.front().at);
      end = std::min(end, record.arrivals.back().at);
    }
    std::vector<double> gaps;
    const std::vector<TokenArrival>& arrivals = records[0].arrivals;
    for (size_t i = 1; i < arrivals.size(); ++i) {
      if (arrivals[i - 1].at < begin || arrivals[i].at > end) continue;
      gaps.push_back(ToMs(arrivals[i].at - arrivals[i - 1].at) / arrivals[i].tokens);
    }
    if (gaps.empty()) return Internal("the requests did not answer together");
    return Median(gaps);
  }

  const std::vector<EmbeddedModel> models_;
  const Clock& clock_;
  ThreadPool readers_;
  SystemWaiter waiter_;
  std::unique_ptr<EmbeddedBackend> engine_;
  int64_t requests_ = 0;  // made so far: no two prompts are alike
};

// What stands in the profile before anything is fitted.
Result<DeviceProfile> Unfitted(const std::vector<EmbeddedModel>& models,
                               const DeviceBenchOptions& options) {
  const std::string measured = fmt::format("aio bench device, {}", options.date);
  const std::string fitted = "fitted to [[measured]]";
  DeviceProfile profile;
  profile.name = options.name;
  profile.title = options.title;
  AIO_ASSIGN_OR_RETURN(const int64_t memory, AvailableMemoryBytes());
  profile.memory_gb = {static_cast<double>(memory) / 1e9, measured + ": what was free"};
  profile.read_share = {0.8, fitted};
  profile.compute_share = {0.5, fitted};
  profile.overlap = {0.5, fitted};
  profile.eager.step_us = {100, fitted};
  profile.eager.layer_us = {0, "the embedded engine's host and device are the same cores"};
  profile.eager.kernel_us = {0, "the embedded engine has no kernels that are launched"};
  profile.model_switch_us = {0, "one thread steps both models, which wait for nothing else"};
  profile.rows_per_read = {kRowsPerRead, "engine/fair_share.h"};
  profile.dequantization_source = "the embedded engine's kernels expand weights in registers";
  profile.fitted = {"read_share", "compute_share", "overlap", "eager.step_us"};
  for (const EmbeddedModel& model : models) {
    AIO_ASSIGN_OR_RETURN(const FileShape file, ShapeOf(model.model->summary()));
    profile.shapes.push_back({.name = model.name, .shape = file.shape});
    for (const DeviceStep& step : kSteps) {
      profile.measured.push_back({.model = model.name,
                                  .weights = file.weights,
                                  .prompt = step.prompt,
                                  .rows = step.rows,
                                  .context = step.prompt ? 0 : kContext + kAnswerTokens / 2,
                                  .fitted_to = true,
                                  .source = measured});
    }
  }
  return profile;
}

// Products are counted against twice the best rate that was seen: the peak is not known.
void SetComputePeak(DeviceProfile& profile) {
  double best = 0;
  for (const MeasuredStep& step : profile.measured) {
    const ModelCosts costs = CostsOf(*profile.FindModel(step.model));
    const double products = 2.0 * step.rows * static_cast<double>(costs.layer_parameters);
    best = std::max(best, products / (step.ms * 1e9));
  }
  profile.f16_tflops = {2 * best, fmt::format("twice the best rate of the steps below: a peak is "
                                              "not known, and compute_share says what counts")};
}

}  // namespace

Result<DeviceProfile> BenchDevice(
    std::vector<EmbeddedModel> models, const DeviceBenchOptions& options, const Clock& clock,
    const std::function<void(int64_t done, int64_t total)>& progress) {
  AIO_ASSIGN_OR_RETURN(DeviceProfile profile, Unfitted(models, options));
  const size_t count = models.size();
  AIO_ASSIGN_OR_RETURN(const auto benchmark,
                       DeviceBenchmark::Create(std::move(models), options, clock));
  const size_t steps = profile.measured.size();
  std::vector<std::vector<double>> ms(steps);
  std::vector<double> reads;
  const auto total = static_cast<int64_t>(steps) * (options.rounds + 1);
  for (int round = -1; round < options.rounds; ++round) {
    for (size_t i = 0; i < steps; ++i) {
      AIO_ASSIGN_OR_RETURN(const double taken,
                           benchmark->Run(i / (steps / count), kSteps[i % (steps / count)]));
      if (round >= 0) ms[i].push_back(taken);  // the first round warms up
      if (progress)
        progress((round + 1) * static_cast<int64_t>(steps) + static_cast<int64_t>(i) + 1, total);
    }
    reads.push_back(benchmark->ReadGbPerSecond());
  }
  for (size_t i = 0; i < steps; ++i) {
    constexpr double kPerMs = 1000;  // no digits that mean nothing
    profile.measured[i].ms = std::round(Median(ms[i]) * kPerMs) / kPerMs;
  }
  // The best: a step cannot read faster than the machine, and the machine is shared; but weights
  // that a cache holds are read faster.
  double peak = *std::max_element(reads.begin(), reads.end());
  if (peak <= 0) return InvalidArgument("the models are too small to measure the memory with");
  for (const MeasuredStep& step : profile.measured) {
    if (step.prompt) continue;
    const ModelCosts costs = CostsOf(*profile.FindModel(step.model));
    peak = std::max(peak, static_cast<double>(costs.WeightBytes(step.weights)) / (step.ms * 1e6));
  }
  profile.read_gb_per_s = {std::ceil(peak * 100) / 100,
                           fmt::format("aio bench device, {}: the weights of {} read from "
                                       "end to end by {} threads",
                                       options.date, profile.shapes.back().name, options.threads)};
  SetComputePeak(profile);
  AIO_ASSIGN_OR_RETURN(const DeviceProfile fitted, FitToMeasured(std::move(profile)));
  // As it will be read: what it could not be read back with had better be known now.
  return ParseDeviceProfile(DeviceProfileToml(fitted), "the measured profile");
}

}  // namespace aio
