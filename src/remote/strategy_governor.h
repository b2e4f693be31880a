// Which strategy decodes fastest, where engines cannot switch it by request: replicas of one model,
// started with different ones, are measured against each other by intent.
#ifndef AIO_REMOTE_STRATEGY_GOVERNOR_H_
#define AIO_REMOTE_STRATEGY_GOVERNOR_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aio {

// Thread-safe.
class StrategyGovernor {
 public:
  // One of `strategies`, which is not empty: the one whose answers of this intent have lately had
  // the most tokens a second, but one in sixteen requests goes to another one in turn, and each is
  // tried a few times first.
  std::string Choose(std::string_view intent, const std::vector<std::string>& strategies);

  // An answer's decode speed. Answers of a few tokens say nothing and are left out by the caller.
  void Observe(std::string_view intent, std::string_view strategy, double tokens_per_second);

  // 0: unknown.
  double TokensPerSecond(std::string_view intent, std::string_view strategy) const;

 private:
  struct Speed {
    double tokens_per_second = 0;
    int64_t samples = 0;
    int64_t chosen = 0;
  };
  using Key = std::pair<std::string, std::string>;  // intent, strategy

  mutable std::mutex mutex_;
  std::map<Key, Speed> speeds_;                           // guarded by mutex_, as the next
  std::map<std::string, int64_t, std::less<>> requests_;  // by intent
};

}  // namespace aio

#endif  // AIO_REMOTE_STRATEGY_GOVERNOR_H_
