// Metrics of what the server itself does not know.
#ifndef AIO_SERVER_METRIC_READING_H_
#define AIO_SERVER_METRIC_READING_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace aio {

// One series, as GET /metrics shows it. Those of one name stand side by side.
struct MetricReading {
  std::string name;  // "aio_..."; of a counter "..._total"
  std::string help;
  bool is_counter = false;  // else a gauge
  double value = 0;
  std::vector<std::pair<std::string, std::string>> labels = {};  // name and value; few, fixed
};

// Read at every GET /metrics, from the server's threads.
using MetricSource = std::function<std::vector<MetricReading>()>;

}  // namespace aio

#endif  // AIO_SERVER_METRIC_READING_H_
