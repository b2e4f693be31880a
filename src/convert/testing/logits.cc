#include "convert/testing/logits.h"

#include <cmath>

#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {

std::vector<float> LogitsOf(const std::shared_ptr<const GgufFile>& file) {
  const auto model = Model::Load(file);
  AIO_CHECK(model.ok(), model.status().ToString().c_str());
  const auto cache = KvCache::Create((*model)->config(), KvType::kF32, 1).value();
  constexpr int kTokens = 4;
  ForwardScratch scratch((*model)->config(), kTokens, 1);
  ThreadPool pool(1);
  const int32_t table[] = {0};
  const ForwardRow rows[] = {
      {1, 0, table, false}, {7, 1, table, false}, {9, 2, table, false}, {30, 3, table, true}};
  const auto logits = Forward(**model, rows, *cache, scratch, pool);
  return {logits.begin(), logits.end()};
}

std::vector<float> LogitsOf(const std::string& path) {
  return LogitsOf(GgufFile::Open(path).value());
}

double RelativeDifference(const std::vector<float>& actual, const std::vector<float>& expected) {
  AIO_CHECK(actual.size() == expected.size());
  double difference = 0, size = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    difference += std::pow(double{actual[i]} - expected[i], 2);
    size += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(difference / size);
}

}  // namespace aio
