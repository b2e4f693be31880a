// How one prompt of the attack suite is made from its base. Private to eval/.
#ifndef AIO_EVAL_ATTACK_KINDS_H_
#define AIO_EVAL_ATTACK_KINDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "eval/suite_draw.h"

namespace aio {

// What an attack is made with.
struct AttackMeans {
  SuiteDraw& draw;
  const std::string& target;                 // the label's word
  const std::vector<std::string>& programs;  // may be empty
};

struct AttackKind {
  std::string_view name;
  std::string_view what;
  std::string (*make)(const std::string& base, const AttackMeans& means);
};
const std::vector<AttackKind>& AllAttackKinds();

// Text with letters replaced by ones that look alike (Cyrillic, Greek, full width), about
// `percent` of those that have any.
std::string WithLookAlikes(std::string_view text, int percent, SuiteDraw& draw);
std::string ToBase64(std::string_view bytes);

}  // namespace aio

#endif  // AIO_EVAL_ATTACK_KINDS_H_
