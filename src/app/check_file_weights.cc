#include "app/check_file_weights.h"

#include <optional>

#include "app/system_cpu.h"
#include "base/clock.h"
#include "base/progress.h"
#include "model/check_weights.h"

namespace aio {

Status CheckFileWeights(const GgufFile& file, int threads) {
  const SystemClock clock;
  std::optional<ProgressBar> bar;
  CheckWeightsOptions options;
  options.num_threads = threads > 0 ? threads : UsableCores();
  options.progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("reading " + file.path(), total, clock);
    bar->Update(done);
  };
  return CheckWeights(file, options);
}

}  // namespace aio
