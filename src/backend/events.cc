#include "backend/events.h"

namespace aio {

Traffic& Traffic::operator+=(const Traffic& other) {
  weight_bytes += other.weight_bytes;
  kv_bytes += other.kv_bytes;
  static_large_bytes += other.static_large_bytes;
  return *this;
}

std::string_view FinishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace aio
