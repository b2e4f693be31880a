#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "discovery/endpoint_slices.h"

namespace aio {
namespace {

using Json = nlohmann::json;

constexpr size_t kEndpointsMax = 1000;  // of a slice, as the API has it, and the next
constexpr size_t kPortsMax = 100;
constexpr int kDepthMax = 16;
constexpr size_t kTextBytesMax = 253;  // of names, zones, versions

Status Malformed(std::string_view what) {
  return InvalidArgument(fmt::format("Kubernetes' API gives no EndpointSlices: {}", what));
}

// Null where there is no such member, or none to speak of.
const Json* Member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// An absent text is empty.
Status ReadText(const Json& object, const char* key, std::string& text) {
  const Json* value = Member(object, key);
  if (value == nullptr) return Status::Ok();
  if (!value->is_string()) return Malformed(fmt::format("'{}' is no text", key));
  text = value->get<std::string>();
  if (text.size() > kTextBytesMax) return Malformed(fmt::format("'{}' is too long", key));
  return Status::Ok();
}

Status ReadBool(const Json& object, const char* key, bool& value) {
  const Json* member = Member(object, key);
  if (member == nullptr) return Status::Ok();
  if (!member->is_boolean()) return Malformed(fmt::format("'{}' is neither true nor false", key));
  value = member->get<bool>();
  return Status::Ok();
}

// An absent list is empty: null.
Result<const Json*> ReadList(const Json& object, const char* key, size_t count_max) {
  const Json* list = Member(object, key);
  if (list == nullptr) return list;
  if (!list->is_array()) return Malformed(fmt::format("'{}' is no list", key));
  if (list->size() > count_max) {
    return Malformed(fmt::format("'{}' has more than {} elements", key, count_max));
  }
  return list;
}

Status ReadConditions(const Json& endpoint, SliceEndpoint& read) {
  const Json* conditions = Member(endpoint, "conditions");
  if (conditions == nullptr) return Status::Ok();  // unknown: ready (as the API says)
  AIO_RETURN_IF_ERROR(ReadBool(*conditions, "ready", read.ready));
  AIO_RETURN_IF_ERROR(ReadBool(*conditions, "terminating", read.terminating));
  return Status::Ok();
}

Result<SliceEndpoint> ReadEndpoint(const Json& endpoint, bool holds_names) {
  SliceEndpoint read;
  const Json* addresses = Member(endpoint, "addresses");
  if (addresses == nullptr || !addresses->is_array() || addresses->empty() ||
      !addresses->front().is_string()) {
    return Malformed("an endpoint has no address");
  }
  read.address = addresses->front().get<std::string>();
  if (!(holds_names ? IsHostName(read.address) : IsIpAddress(read.address))) {
    return Malformed("an endpoint's address is none");
  }
  AIO_RETURN_IF_ERROR(ReadText(endpoint, "zone", read.zone));
  AIO_RETURN_IF_ERROR(ReadConditions(endpoint, read));
  const Json* target = Member(endpoint, "targetRef");
  if (target != nullptr) AIO_RETURN_IF_ERROR(ReadText(*target, "uid", read.pod_uid));
  return read;
}

Result<SlicePort> ReadSlicePort(const Json& port) {
  constexpr int64_t kPortMax = 65535;
  SlicePort read;
  AIO_RETURN_IF_ERROR(ReadText(port, "name", read.name));
  const Json* number = Member(port, "port");
  if (number == nullptr) return read;  // 0: "not restricted", which helps nobody here
  if (!number->is_number_integer() || *number < 1 || *number > kPortMax) {
    return Malformed("'port' is no port");
  }
  read.number = number->get<int>();
  return read;
}

Status ReadName(const Json& object, std::string& name) {
  const Json* metadata = Member(object, "metadata");
  if (metadata != nullptr) AIO_RETURN_IF_ERROR(ReadText(*metadata, "name", name));
  return name.empty() ? Malformed("a slice has no name") : Status::Ok();
}

Result<EndpointSlice> ReadSlice(const Json& object) {
  EndpointSlice slice;
  AIO_RETURN_IF_ERROR(ReadName(object, slice.name));
  std::string type;
  AIO_RETURN_IF_ERROR(ReadText(object, "addressType", type));
  slice.holds_names = type == "FQDN";
  AIO_ASSIGN_OR_RETURN(const Json* ports, ReadList(object, "ports", kPortsMax));
  for (size_t i = 0; ports != nullptr && i < ports->size(); ++i) {
    AIO_ASSIGN_OR_RETURN(SlicePort port, ReadSlicePort((*ports)[i]));
    slice.ports.push_back(std::move(port));
  }
  AIO_ASSIGN_OR_RETURN(const Json* endpoints, ReadList(object, "endpoints", kEndpointsMax));
  for (size_t i = 0; endpoints != nullptr && i < endpoints->size(); ++i) {
    AIO_ASSIGN_OR_RETURN(SliceEndpoint endpoint, ReadEndpoint((*endpoints)[i], slice.holds_names));
    slice.endpoints.push_back(std::move(endpoint));
  }
  return slice;
}

// Of a list or an object.
Result<std::string> ReadVersion(const Json& object) {
  std::string version;
  const Json* metadata = Member(object, "metadata");
  if (metadata != nullptr) AIO_RETURN_IF_ERROR(ReadText(*metadata, "resourceVersion", version));
  if (version.empty()) return Malformed("'resourceVersion' is missing");
  return version;
}

Result<Json> ParseObject(std::string_view text) {
  // Who manages which field nests deeper, and does not matter.
  const auto is_kept = [](int depth, Json::parse_event_t, Json&) { return depth <= kDepthMax; };
  Json json = Json::parse(text, is_kept, /*allow_exceptions=*/false);
  if (!json.is_object()) return Malformed("the answer is no JSON object");
  return json;
}

std::optional<SliceEvent::Kind> KindOf(std::string_view type) {
  if (type == "ADDED" || type == "MODIFIED") return SliceEvent::Kind::kPut;
  if (type == "DELETED") return SliceEvent::Kind::kDeleted;
  if (type == "BOOKMARK") return SliceEvent::Kind::kBookmark;
  if (type == "ERROR") return SliceEvent::Kind::kError;
  return std::nullopt;
}

}  // namespace

Result<EndpointSliceList> ParseEndpointSliceList(std::string_view text) {
  AIO_ASSIGN_OR_RETURN(const Json json, ParseObject(text));
  std::string kind;
  AIO_RETURN_IF_ERROR(ReadText(json, "kind", kind));
  if (kind != "EndpointSliceList") return Malformed("the answer is no EndpointSliceList");
  EndpointSliceList list;
  AIO_ASSIGN_OR_RETURN(list.resource_version, ReadVersion(json));
  AIO_ASSIGN_OR_RETURN(const Json* items, ReadList(json, "items", kSlicesMax));
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
    AIO_ASSIGN_OR_RETURN(EndpointSlice slice, ReadSlice((*items)[i]));
    list.slices.push_back(std::move(slice));
  }
  return list;
}

Result<SliceEvent> ParseSliceEvent(std::string_view text) {
  AIO_ASSIGN_OR_RETURN(const Json json, ParseObject(text));
  std::string type;
  AIO_RETURN_IF_ERROR(ReadText(json, "type", type));
  const std::optional<SliceEvent::Kind> kind = KindOf(type);
  const Json* object = Member(json, "object");
  if (!kind || object == nullptr) return Malformed("a watch's line is no event");
  SliceEvent event;
  event.kind = *kind;
  if (event.kind == SliceEvent::Kind::kError) {
    const Json* code = Member(*object, "code");
    constexpr int64_t kCodeMax = 999;
    if (code == nullptr || !code->is_number_integer() || *code < 0 || *code > kCodeMax) {
      return Malformed("an error has no code");
    }
    event.error_code = code->get<int>();
    return event;
  }
  AIO_ASSIGN_OR_RETURN(event.resource_version, ReadVersion(*object));
  if (event.kind == SliceEvent::Kind::kPut) {
    AIO_ASSIGN_OR_RETURN(event.slice, ReadSlice(*object));
  } else if (event.kind == SliceEvent::Kind::kDeleted) {
    AIO_RETURN_IF_ERROR(ReadName(*object, event.slice.name));
  }
  return event;
}

}  // namespace aio
