// Whose turn it is among the models of one engine: the rule is on bytes moved, since memory
// bandwidth is what they share. Decoding on a model of 1 GB beside one of 7 GB steps seven
// times as often, and each has half of the bandwidth; weights change the halves.
//
// Start-time fair queueing (Goyal, Vin and Cheng 1996) with the models as flows and steps as
// packets whose length is known when they end.
#ifndef AIO_ENGINE_FAIR_SHARE_H_
#define AIO_ENGINE_FAIR_SHARE_H_

#include <cstdint>
#include <vector>

namespace aio {

// What a step of `rows` tokens counts as: the weights once, and once more for every
// `rows_per_read` rows beyond the first, since from there on arithmetic takes the time that reading
// takes otherwise; and the KV that it reads.
inline int64_t ChargedBytes(int rows, int rows_per_read, int64_t weight_bytes, int64_t kv_bytes) {
  return (rows + rows_per_read - 1) / rows_per_read * weight_bytes + kv_bytes;
}
// Of the embedded engine.
inline constexpr int kRowsPerRead = 4;

// Not thread-safe.
class FairShare {
 public:
  // One weight > 0 a model.
  explicit FairShare(const std::vector<double>& weights);

  // The model to step next: of those in `has_work` ([models]) the one with the least bytes
  // moved for its weight. -1 when none has work. A model that was idle does not catch up
  // on what it did not ask for.
  int Next(const std::vector<bool>& has_work);
  // `model` has moved `bytes` in the step that Next() chose it for.
  void Charge(int model, int64_t bytes);

 private:
  struct Flow {
    double weight = 1;
    double moved = 0;  // bytes over weight, on a clock common to all
    bool had_work = false;
  };
  std::vector<Flow> flows_;
  double now_ = 0;  // that clock: where the chosen one stood
};

}  // namespace aio

#endif  // AIO_ENGINE_FAIR_SHARE_H_
