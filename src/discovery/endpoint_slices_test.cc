#include "discovery/endpoint_slices.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "discovery/testing/told.h"

namespace aio {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// As a cluster of version 1.29 writes them, without what does not matter here.
constexpr std::string_view kSlice = R"({
  "addressType": "IPv4", "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
  "metadata": {"name": "vllm-abc", "namespace": "ns", "resourceVersion": "41", "managedFields": []},
  "endpoints": [
    {"addresses": ["10.1.0.7"], "conditions": {"ready": true, "serving": true, "terminating": false},
     "nodeName": "n1", "zone": "a", "targetRef": {"kind": "Pod", "name": "vllm-0", "uid": "u0"}},
    {"addresses": ["10.1.0.8"], "conditions": {"ready": false, "serving": true, "terminating": true},
     "zone": "b", "targetRef": {"kind": "Pod", "name": "vllm-1", "uid": "u1"}},
    {"addresses": ["10.1.0.9"], "conditions": {"ready": false, "serving": false, "terminating": false},
     "targetRef": {"kind": "Pod", "name": "vllm-2", "uid": "u2"}},
    {"addresses": ["10.1.0.10"], "conditions": {}},
    {"addresses": ["10.1.0.11"]}
  ],
  "ports": [{"name": "http", "port": 8000, "protocol": "TCP"},
            {"name": "metrics", "port": 9000, "protocol": "TCP"}]
})";

std::string List(const std::string& items) {
  return R"({"kind":"EndpointSliceList","metadata":{"resourceVersion":"42"},"items":[)" + items +
         "]}";
}

KubernetesService Service(const std::string& port) {
  return {.name = "vllm",
          .name_space = "ns",
          .url = {.scheme = "http", .host = "vllm.ns.svc", .port = port, .path = "/x"}};
}

SliceReplicas Replicas(const std::string& items, const std::string& port) {
  auto list = ParseEndpointSliceList(List(items));
  EXPECT_TRUE(list.ok()) << list.status().ToString();
  EndpointSlices slices;
  for (EndpointSlice& slice : list->slices) slices[slice.name] = slice;
  return ReplicasOf(slices, Service(port), {.weight = 3, .zone = "mine", .strategy = "plain"})
      .value();
}

std::string Slice(const std::string& name, const std::string& endpoints,
                  const std::string& ports = R"([{"name":"","port":8000}])") {
  return R"({"metadata":{"name":")" + name + R"("},"endpoints":)" + endpoints + R"(,"ports":)" +
         ports + "}";
}

TEST(EndpointSlices, ReadyOnesAreReplicasAndTerminatingOnesDrain) {
  const SliceReplicas found = Replicas(std::string(kSlice), "http");
  EXPECT_TRUE(found.fault.ok());
  ASSERT_THAT(Told::Names(found.replicas),
              testing::UnorderedElementsAre("http://vllm.ns.svc:8000/x 10.1.0.7:8000",
                                            "http://vllm.ns.svc:8000/x 10.1.0.8:8000 draining",
                                            "http://vllm.ns.svc:8000/x 10.1.0.10:8000",
                                            "http://vllm.ns.svc:8000/x 10.1.0.11:8000"));
  for (const ReplicaSpec& replica : found.replicas) {
    EXPECT_EQ(replica.weight, 3);
    EXPECT_EQ(replica.strategy, "plain");
    const bool says_nothing = replica.address == "10.1.0.10" || replica.address == "10.1.0.11";
    const std::string zone = replica.address == "10.1.0.8" ? "b" : "a";
    EXPECT_EQ(replica.zone, says_nothing ? "mine" : zone);
  }
}

TEST(EndpointSlices, PortsAreChosenByNameOrNumber) {
  EXPECT_EQ(Replicas(std::string(kSlice), "metrics").replicas[0].port, 9000);
  EXPECT_EQ(Replicas(std::string(kSlice), "9000").replicas[0].port, 9000);
  const SliceReplicas none = Replicas(std::string(kSlice), "80");
  EXPECT_THAT(none.replicas, IsEmpty());
  EXPECT_THAT(none.fault.message(), HasSubstr("no port '80'"));
  EXPECT_THAT(none.fault.message(), HasSubstr("8000 (http), 9000 (metrics)"));
  EXPECT_THAT(Replicas(std::string(kSlice), "").fault.message(), HasSubstr("write which"));
  EXPECT_EQ(Replicas(Slice("s", R"([{"addresses":["10.0.0.1"]}])"), "").replicas[0].port, 8000);
}

TEST(EndpointSlices, OneEndpointInTwoSlicesIsOneReplica) {
  // While slices are rebalanced, an endpoint may be in both.
  const std::string twice =
      Slice("a",
            R"([{"addresses":["10.0.0.1"],"conditions":{"ready":false,"terminating":true}}])") +
      "," + Slice("b", R"([{"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2"]}])");
  EXPECT_THAT(Told::Names(Replicas(twice, "8000").replicas),
              testing::UnorderedElementsAre("http://vllm.ns.svc:8000/x 10.0.0.1:8000",
                                            "http://vllm.ns.svc:8000/x 10.0.0.2:8000"));
}

TEST(EndpointSlices, APodWithTwoFamiliesIsOneReplica) {
  const std::string both =
      Slice("v6", R"([{"addresses":["2001:db8::1"],"targetRef":{"uid":"u"}}])") + "," +
      Slice("v4", R"([{"addresses":["10.0.0.1"],"targetRef":{"uid":"u"}}])");
  EXPECT_THAT(Told::Names(Replicas(both, "").replicas),
              ElementsAre("http://vllm.ns.svc:8000/x 10.0.0.1:8000"));
}

TEST(EndpointSlices, NamesOfHostsAreUrls) {
  const std::string slice =
      R"({"metadata":{"name":"s"},"addressType":"FQDN","endpoints":[{"addresses":["h.example"]}],)"
      R"("ports":[{"port":8000}]})";
  EXPECT_THAT(Told::Names(Replicas(slice, "").replicas), ElementsAre("http://h.example:8000/x"));
}

TEST(EndpointSlices, NothingThereIsAnEmptySet) {
  // So does Kubernetes write a slice without endpoints.
  const SliceReplicas scaled_down = Replicas(Slice("s", "null", "null"), "http");
  EXPECT_THAT(scaled_down.replicas, IsEmpty());
  EXPECT_TRUE(scaled_down.fault.ok());
  const SliceReplicas none = Replicas("", "http");
  EXPECT_THAT(none.replicas, IsEmpty());
  EXPECT_THAT(none.fault.message(), HasSubstr("is there a Service 'vllm' in namespace 'ns'?"));
}

TEST(EndpointSlices, MoreThanCanBeAreRefused) {
  EndpointSlices slices;
  for (int i = 0; i < 5; ++i) {
    EndpointSlice& slice = slices["s" + std::to_string(i)];
    slice.ports = {{.name = "", .number = 8000}};
    for (int j = 0; j < 1000; ++j) {
      slice.endpoints.emplace_back().address = fmt::format("10.0.{}.{}", i * 4 + j / 250, j % 250);
    }
  }
  EXPECT_EQ(ReplicasOf(slices, Service(""), {}).status().code(), StatusCode::kResourceExhausted);
}

TEST(ParseEndpointSliceList, RefusesWhatIsNone) {
  const auto fault = [](const std::string& text) {
    return ParseEndpointSliceList(text).status().message();
  };
  EXPECT_THAT(fault(""), HasSubstr("no JSON object"));
  EXPECT_THAT(fault("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(fault(List("").substr(0, 40)), HasSubstr("no JSON object"));
  EXPECT_THAT(fault("{}"), HasSubstr("no EndpointSliceList"));
  EXPECT_THAT(fault(R"({"kind":"EndpointSliceList"})"), HasSubstr("resourceVersion"));
  EXPECT_THAT(fault(List("7")), HasSubstr("no name"));
  EXPECT_THAT(fault(List(Slice("s", "7"))), HasSubstr("'endpoints' is no list"));
  EXPECT_THAT(fault(List(Slice("s", "[{}]"))), HasSubstr("no address"));
  EXPECT_THAT(fault(List(Slice("s", R"([{"addresses":["h.example"]}])"))), HasSubstr("is none"));
  EXPECT_THAT(fault(List(Slice("s", R"([{"addresses":["10.0.0.1"],"zone":1}])"))),
              HasSubstr("'zone'"));
  EXPECT_THAT(fault(List(Slice("s", R"([{"addresses":["10.0.0.1"],"conditions":{"ready":1}}])"))),
              HasSubstr("'ready'"));
  EXPECT_THAT(fault(List(Slice("s", "[]", R"([{"port":65536}])"))), HasSubstr("'port'"));
  EXPECT_THAT(fault(List(Slice("s", "[]", R"([{"port":1e99}])"))), HasSubstr("'port'"));
  EXPECT_THAT(fault(List(Slice(std::string(300, 's'), "[]"))), HasSubstr("too long"));
  std::string many = R"({"addresses":["10.0.0.1"]})";
  for (int i = 0; i < 1000; ++i) many += R"(,{"addresses":["10.0.0.1"]})";
  EXPECT_THAT(fault(List(Slice("s", "[" + many + "]"))), HasSubstr("more than 1000"));
}

TEST(ParseEndpointSliceList, NestsNoDeeperThanItMust) {
  const size_t depth = 1 << 20;
  const std::string deep = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_FALSE(ParseEndpointSliceList(deep).ok());
  const auto list = ParseEndpointSliceList(
      List(R"({"metadata":{"name":"s","managedFields":)" + deep + R"(},"endpoints":null})"));
  ASSERT_TRUE(list.ok()) << list.status().ToString();
  EXPECT_EQ(list->slices[0].name, "s");
}

TEST(ParseSliceEvent, ReadsEachKind) {
  const auto put = ParseSliceEvent(R"({"type":"MODIFIED","object":)" + std::string(kSlice) + "}");
  ASSERT_TRUE(put.ok()) << put.status().ToString();
  EXPECT_EQ(put->kind, SliceEvent::Kind::kPut);
  EXPECT_EQ(put->slice.endpoints.size(), 5U);
  EXPECT_EQ(put->resource_version, "41");
  const auto deleted =
      ParseSliceEvent(R"({"type":"DELETED","object":)" + std::string(kSlice) + "}");
  EXPECT_EQ(deleted->kind, SliceEvent::Kind::kDeleted);
  EXPECT_EQ(deleted->slice.name, "vllm-abc");
  const auto bookmark =
      ParseSliceEvent(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"99"}}})");
  EXPECT_EQ(bookmark->kind, SliceEvent::Kind::kBookmark);
  EXPECT_EQ(bookmark->resource_version, "99");
  const auto error = ParseSliceEvent(R"({"type":"ERROR","object":{"kind":"Status","code":410}})");
  EXPECT_EQ(error->error_code, 410);
}

TEST(ParseSliceEvent, RefusesWhatIsNone) {
  for (const char* text : {"", "7", "{}", R"({"type":"ADDED"})", R"({"type":"OTHER","object":{}})",
                           R"({"type":"ADDED","object":{"metadata":{"name":"s"}}})",
                           R"({"type":"DELETED","object":{"metadata":{"resourceVersion":"1"}}})",
                           R"({"type":"ERROR","object":{"code":"410"}})"}) {
    EXPECT_FALSE(ParseSliceEvent(text).ok()) << text;
  }
}

}  // namespace
}  // namespace aio
