// What the tests of the kernels share.
#ifndef AIO_KERNELS_KERNELS_TESTING_H_
#define AIO_KERNELS_KERNELS_TESTING_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/target.h"

namespace aio {

// A small deterministic generator: values in [-1, 1).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  float Next() {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<float>(static_cast<int32_t>(state_ >> 32)) * 0x1p-31f;
  }
  std::vector<float> Vector(size_t size, float scale = 1.0f) {
    std::vector<float> values(size);
    for (float& value : values) value = scale * Next();
    return values;
  }

 private:
  uint64_t state_;
};

// Runs each test of the suite on every instruction set available here.
class EveryTarget : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    before_ = ActiveTarget();
    ASSERT_TRUE(SelectTarget(GetParam()).ok());
  }
  void TearDown() override { ASSERT_TRUE(SelectTarget(before_).ok()); }

 private:
  std::string before_;
};

#define AIO_INSTANTIATE_FOR_EVERY_TARGET(suite)                                   \
  INSTANTIATE_TEST_SUITE_P(Targets, suite, testing::ValuesIn(AvailableTargets()), \
                           [](const auto& info) { return info.param; })

}  // namespace aio

#endif  // AIO_KERNELS_KERNELS_TESTING_H_
