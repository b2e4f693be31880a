// Where the levels of limits are kept that several programs share. Internal to access/, and for
// tests.
#ifndef AIO_ACCESS_LIMIT_STORE_H_
#define AIO_ACCESS_LIMIT_STORE_H_

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct BucketUse {
  std::string bucket;  // which; no two of one exchange are the same
  double capacity = 0;
  Duration period{};
  double used = 0;  // negative: given back
};

struct SharedLevels {
  std::vector<double> levels;  // of the buckets, in their order, with what was used
  int members = 1;             // programs that share them, this one included
};

// For one thread at a time, but for Stop().
class LimitStore {
 public:
  virtual ~LimitStore() = default;

  // Makes sure that it can be asked. With kPermissionDenied, kNotFound or kInvalidArgument it
  // cannot as it is configured; with another fault perhaps later.
  virtual Status Open() = 0;

  // Takes what was used, and tells what is left: of all of them, or of none. That this program is
  // there is told too, even without buckets.
  virtual Result<SharedLevels> Exchange(const std::vector<BucketUse>& uses) = 0;

  // This program goes: the others' shares grow at once.
  virtual void Leave() = 0;

  // The program ends: from now on, a database that is away is given up soon. From any thread.
  virtual void Stop() {}
};

}  // namespace aio

#endif  // AIO_ACCESS_LIMIT_STORE_H_
