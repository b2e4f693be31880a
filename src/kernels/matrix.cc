#include "base/check.h"
#include "kernels/kernels.h"

namespace aio {

size_t Matrix::row_bytes() const {
  const size_t values = static_cast<size_t>(columns);
  switch (type) {
    case WeightType::kF32:
      return values * 4;
    case WeightType::kF16:
    case WeightType::kBF16:
      return values * 2;
    case WeightType::kQ8_0:
      AIO_CHECK(columns % kQ8BlockValues == 0);
      return values / kQ8BlockValues * kQ8BlockBytes;
  }
  AIO_CHECK(false, "unknown weight type");
}

}  // namespace aio
