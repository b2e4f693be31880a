// How much quality a way of routing buys for how many requests on the large model.
#ifndef AIO_EVAL_QUALITY_COST_CURVE_H_
#define AIO_EVAL_QUALITY_COST_CURVE_H_

#include <cstdint>
#include <vector>

namespace aio {

// One query: the outcomes of both models (0..1), and how much the router thinks that the large
// model would add. Only the order of `score` counts: the highest go to the large model first.
struct ScoredOutcome {
  double score = 0;
  double small = 0;
  double large = 0;
};

struct CurvePoint {
  double large_share = 0;  // of queries, 0..1
  double quality = 0;      // mean outcome
};

// From all on the small model to all on the large one. Queries of equal score move together, and
// between two points some of them by chance: a router that cannot tell any two apart is random
// routing exactly, whatever order it was given them in.
std::vector<CurvePoint> QualityCostCurve(std::vector<ScoredOutcome> outcomes);

struct CurveArea {
  double area = 0;    // mean quality over all shares of the large model
  double random = 0;  // of random routing: the mean of both models' own
  double oracle = 0;  // of routing by the outcomes themselves
  // area - random, and its 95 % interval: the percentile bootstrap over queries.
  double above_random = 0;
  double above_random_low = 0;
  double above_random_high = 0;
  // Of the gap between both models, the mean share that is recovered; random: 0.5. RouteLLM's
  // "average performance gap recovered" (Ong et al. 2024). NaN where the models do not differ.
  double gap_recovered = 0;
};

// `outcomes` are not empty. The same input gives the same result.
CurveArea MeasureCurve(std::vector<ScoredOutcome> outcomes, int resamples = 2000,
                       uint64_t seed = 1);

}  // namespace aio

#endif  // AIO_EVAL_QUALITY_COST_CURVE_H_
