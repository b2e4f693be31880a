// Which shapes of which models a device has graphs of.
#ifndef AIO_SIM_GRAPH_CACHE_H_
#define AIO_SIM_GRAPH_CACHE_H_

#include <cstddef>
#include <list>
#include <utility>

namespace aio {

// Not thread-safe.
class GraphCache {
 public:
  // 0: it keeps all.
  explicit GraphCache(size_t graphs_max) : graphs_max_(graphs_max) {}

  // Whether a graph of `model` for so many rows is there; it is from now on, and the one that was
  // used longest ago has made room.
  bool Use(int model, int rows) {
    const std::pair<int, int> graph{model, rows};
    for (auto at = by_use_.begin(); at != by_use_.end(); ++at) {
      if (*at != graph) continue;
      by_use_.splice(by_use_.end(), by_use_, at);
      return true;
    }
    by_use_.push_back(graph);
    if (graphs_max_ > 0 && by_use_.size() > graphs_max_) by_use_.pop_front();
    return false;
  }

 private:
  const size_t graphs_max_;
  std::list<std::pair<int, int>> by_use_;  // least recently used first
};

}  // namespace aio

#endif  // AIO_SIM_GRAPH_CACHE_H_
