#include "traffic/load_record.h"

namespace aio {

double LoadRecord::tokens_per_second() const {
  const double ms = ToMs(to_end());
  return ms > 0 ? output_tokens() * 1000.0 / ms : 0;
}

}  // namespace aio
