// What stands for Kubernetes' API may send anything: no text may crash the reader, and what is
// taken of it are replicas that can be connected to.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "discovery/endpoint_slices.h"

namespace {

void Check(const aio::EndpointSlices& slices) {
  const aio::KubernetesService service{
      .name = "s",
      .name_space = "n",
      .url = {.scheme = "http", .host = "s.n.svc", .port = "", .path = ""}};
  const auto found = aio::ReplicasOf(slices, service, {});
  if (!found.ok()) return;
  for (const aio::ReplicaSpec& replica : found->replicas) {
    if (!aio::CheckReplicaUrl(replica.url).ok()) std::abort();
    if (!replica.address.empty() && !aio::IsIpAddress(replica.address)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  aio::EndpointSlices slices;
  if (auto list = aio::ParseEndpointSliceList(text); list.ok()) {
    for (aio::EndpointSlice& slice : list->slices) slices[slice.name] = std::move(slice);
  }
  if (auto event = aio::ParseSliceEvent(text); event.ok()) {
    slices[event->slice.name] = std::move(event->slice);
  }
  Check(slices);
  return 0;
}
