#include "app/log_decisions.h"

#include <spdlog/logger.h>

#include <utility>

namespace aio {
namespace {

std::vector<MetricReading> ReadCounts(const DecisionLog& log) {
  const DecisionLogCounts counts = log.counts();
  const auto reading = [](const char* name, const char* help, bool is_counter, int64_t value) {
    return MetricReading{
        .name = name, .help = help, .is_counter = is_counter, .value = static_cast<double>(value)};
  };
  return {
      reading("aio_decision_log_rows_total", "Decisions written to the decision log", true,
              counts.rows),
      reading("aio_decision_log_dropped_total", "Decisions that the log will never have", true,
              counts.dropped),
      reading("aio_decision_log_errors_total", "Attempts to write the decision log that failed",
              true, counts.errors),
      reading("aio_decision_log_waiting", "Decisions that wait to be written", false,
              counts.waiting),
  };
}

}  // namespace

Result<std::unique_ptr<DecisionLog>> LogDecisions(const AppConfig& config,
                                                  std::shared_ptr<spdlog::logger> logger,
                                                  const Clock& clock) {
  if (!config.decision_log.is_kept()) return std::unique_ptr<DecisionLog>();
  DecisionLogOptions options = config.decision_log;
  options.on_deletion_health = [logger](const Status& status) {
    if (status.ok()) {
      logger->info("old rows of the decision log are deleted again");
    } else {
      logger->warn("old rows of the decision log cannot be deleted, and stay: {}",
                   status.message());
    }
  };
  options.on_health = [logger = std::move(logger)](const Status& status) {
    if (status.ok()) {
      logger->info("the decision log is written again");
    } else {
      logger->warn("the decision log cannot be written: {}", status.message());
    }
  };
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<DecisionLog> log,
                       DecisionLog::Create(std::move(options), clock));
  log->AddPolicy(config.policy);
  return log;
}

void ConnectLog(DecisionLog& log, ServerOptions& options) {
  options.feedback = [&log](const FeedbackRequest& request, auto done) {
    log.AddFeedback({.request_id = request.id, .score = request.score, .comment = request.comment},
                    std::move(done));
  };
  options.metric_sources.push_back([&log] { return ReadCounts(log); });
}

}  // namespace aio
