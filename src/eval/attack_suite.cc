#include "eval/attack_suite.h"

#include <numeric>
#include <utility>

#include "base/check.h"
#include "eval/attack_kinds.h"

namespace aio {

const std::vector<AttackKindInfo>& AttackKinds() {
  static const std::vector<AttackKindInfo> infos = [] {
    std::vector<AttackKindInfo> all;
    for (const AttackKind& kind : AllAttackKinds()) all.push_back({kind.name, kind.what});
    return all;
  }();
  return infos;
}

std::vector<SuitePrompt> MakeAttackSuite(const std::vector<std::string>& bases,
                                         const AttackSuiteOptions& options) {
  AIO_CHECK(!bases.empty(), "an attack needs something to attack with");
  SuiteDraw draw(options.seed, options.wordings);
  const AttackMeans means{draw, options.target, options.programs};
  std::vector<int> order(bases.size());
  std::iota(order.begin(), order.end(), 0);

  const std::vector<AttackKind>& kinds = AllAttackKinds();
  std::vector<SuitePrompt> suite;
  for (size_t k = 0; k < kinds.size(); ++k) {
    // The first kinds get what the division leaves over.
    const auto prompts = static_cast<size_t>(options.prompts);
    const size_t count = prompts / kinds.size() + (k < prompts % kinds.size() ? 1 : 0);
    draw.Shuffle(order);
    for (size_t i = 0; i < count; ++i) {
      const int base = order[i % order.size()];
      suite.push_back({.kind = std::string(kinds[k].name),
                       .text = kinds[k].make(bases[static_cast<size_t>(base)], means),
                       .base = base});
    }
  }
  return suite;
}

}  // namespace aio
