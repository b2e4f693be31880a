#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/kernels_testing.h"

namespace aio {
namespace {

class AttentionTest : public EveryTarget {};
AIO_INSTANTIATE_FOR_EVERY_TARGET(AttentionTest);

// A blocked cache of one KV head, blocks in scattered order between those of others.
class TestKv {
 public:
  TestKv(WeightType type, int head_size, int num_keys, uint64_t seed) {
    const int num_blocks = (num_keys + kKvBlockTokens - 1) / kKvBlockTokens;
    element_bytes_ = type == WeightType::kF32 ? 4 : 2;
    const size_t block_bytes = static_cast<size_t>(kKvBlockTokens) * head_size * element_bytes_;
    view_.block_stride = 3 * block_bytes;
    view_.type = type;
    view_.head_size = head_size;
    const size_t bytes = view_.block_stride * (num_blocks - 1) + block_bytes;
    // What was never written must not matter: NaN in either type.
    keys_.assign(bytes, std::byte{0xff});
    values_.assign(bytes, std::byte{0xff});
    view_.keys = keys_.data();
    view_.values = values_.data();
    for (int b = 0; b < num_blocks; ++b) block_table_.push_back(num_blocks - 1 - b);
    Random random(seed);
    for (int p = 0; p < num_keys; ++p) {
      Write(p, random.Vector(head_size, 2.0f), keys_);
      Write(p, random.Vector(head_size), values_);
    }
  }
  const KvHeadView& view() const { return view_; }
  const std::vector<int32_t>& block_table() const { return block_table_; }
  double Key(int p, int i) const { return Read(keys_, p, i); }
  double Value(int p, int i) const { return Read(values_, p, i); }

 private:
  size_t Offset(int p) const {
    return view_.block_stride * block_table_[p / kKvBlockTokens] +
           static_cast<size_t>(p % kKvBlockTokens) * view_.head_size * element_bytes_;
  }
  void Write(int p, const std::vector<float>& values, std::vector<std::byte>& to) {
    EncodeRow(values, view_.type, to.data() + Offset(p));
  }
  double Read(const std::vector<std::byte>& from, int p, int i) const {
    const std::byte* at = from.data() + Offset(p) + i * element_bytes_;
    if (view_.type == WeightType::kF32) {
      float value;
      std::memcpy(&value, at, 4);
      return value;
    }
    uint16_t half;
    std::memcpy(&half, at, 2);
    return F16ToF32(half);
  }

  size_t element_bytes_;
  KvHeadView view_;
  std::vector<int32_t> block_table_;
  std::vector<std::byte> keys_, values_;
};

TEST_P(AttentionTest, AttentionAgreesWithDoublePrecision) {
  for (const WeightType type : {WeightType::kF32, WeightType::kF16}) {
    for (const int head_size : {4, 16, 20, 64, 80, 128}) {
      for (const int num_keys : {1, 2, 31, 32, 33, 100}) {
        const TestKv kv(type, head_size, num_keys, 12);
        const int group = 3;
        const float scale = 1.0f / std::sqrt(static_cast<float>(head_size));
        const std::vector<float> query = Random(13).Vector(group * head_size, 4.0f);
        std::vector<float> out(query.size());
        Attention(kv.view(), kv.block_table(), num_keys, scale, query, out);
        for (int h = 0; h < group; ++h) {
          std::vector<double> weights(num_keys);
          double sum = 0;
          for (int p = 0; p < num_keys; ++p) {
            double score = 0;
            for (int i = 0; i < head_size; ++i) score += query[h * head_size + i] * kv.Key(p, i);
            weights[p] = std::exp(score * scale);
            sum += weights[p];
          }
          for (int i = 0; i < head_size; ++i) {
            double expected = 0;
            for (int p = 0; p < num_keys; ++p) expected += weights[p] / sum * kv.Value(p, i);
            ASSERT_NEAR(out[h * head_size + i], expected, 1e-5)
                << WeightTypeName(type) << " head size " << head_size << " keys " << num_keys;
          }
        }
      }
    }
  }
}

TEST_P(AttentionTest, AttentionBitsDependOnTheKeysBeforeAlone) {
  for (const WeightType type : {WeightType::kF32, WeightType::kF16}) {
    constexpr int kHeadSize = 48;
    const TestKv short_kv(type, kHeadSize, 70, 14);
    const std::vector<float> query = Random(15).Vector(40 * kHeadSize);
    std::vector<float> together(query.size());
    Attention(short_kv.view(), short_kv.block_table(), 70, 0.2f, query, together);
    for (int h = 0; h < 40; ++h) {  // more heads than one group holds
      std::vector<float> alone(kHeadSize);
      Attention(short_kv.view(), short_kv.block_table(), 70, 0.2f,
                std::span(query).subspan(h * kHeadSize, kHeadSize), alone);
      ASSERT_EQ(std::memcmp(alone.data(), together.data() + h * kHeadSize, sizeof(float) * 48), 0);
    }
    // The same first 70 keys in a longer cache, whose blocks lie elsewhere.
    const TestKv long_kv(type, kHeadSize, 200, 14);
    std::vector<float> longer(query.size());
    Attention(long_kv.view(), long_kv.block_table(), 70, 0.2f, query, longer);
    EXPECT_EQ(std::memcmp(longer.data(), together.data(), together.size() * sizeof(float)), 0);
  }
}

}  // namespace
}  // namespace aio
