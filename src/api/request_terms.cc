#include "api/request_terms.h"

#include <string>
#include <utility>

namespace aio {

Status InTermsOf(ApiKind kind, Status status) {
  const std::string& param = status.param();
  if (kind == ApiKind::kMessage && param == "stop") {
    return std::move(status).WithParam("stop_sequences");
  }
  if (kind != ApiKind::kResponse) return status;
  if (param == "prompt" || param.starts_with("messages")) {
    return std::move(status).WithParam("input");
  }
  if (param == "max_tokens") return std::move(status).WithParam("max_output_tokens");
  return status;
}

}  // namespace aio
