// A step takes no memory from the heap.
#include <gtest/gtest.h>

#include <vector>

#include "base/testing/allocation_counter.h"
#include "kernels/aligned.h"
#include "model/forward.h"
#include "model/testing/test_model.h"

namespace aio {
namespace {

TEST(ForwardTest, TheCounterSeesActivations) {
  const int before = AllocationCount();
  const AlignedVector<float> activations(64);
  EXPECT_EQ(AllocationCount() - before, 1);
  const std::shared_ptr<const Model> model = LoadRandomModel(TestModelSpec());
  const int before_scratch = AllocationCount();
  const ForwardScratch scratch(model->config(), 1, 1);
  EXPECT_GT(AllocationCount(), before_scratch);
}

TEST(ForwardTest, AStepDoesNotAllocate) {
  TestModelSpec spec;
  spec.matrix_type = TensorType::kF16;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const auto cache = KvCache::Create(model->config(), KvType::kF16, 4).value();
  ForwardScratch scratch(model->config(), 16, 16);
  ThreadPool pool(2);
  const std::vector<int32_t> table = {0, 1, 2, 3};
  std::vector<ForwardRow> rows;
  for (int p = 0; p < 16; ++p) rows.push_back({p, p, table, true});
  Forward(*model, rows, *cache, scratch, pool);  // chooses the instruction set
  const int before = AllocationCount();
  Forward(*model, rows, *cache, scratch, pool);
  for (int p = 16; p < 64; ++p) {
    const ForwardRow row{p, p, table, true};
    Forward(*model, {&row, 1}, *cache, scratch, pool);
  }
  EXPECT_EQ(AllocationCount() - before, 0);
  EXPECT_GT(before, 0);  // the counter counts
}

}  // namespace
}  // namespace aio
