// One rendering of a template: its budget, its first fault, and what functions are called with.
// Internal to jinja/.
#ifndef AIO_JINJA_RUN_H_
#define AIO_JINJA_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "jinja/jinja_template.h"
#include "jinja/value.h"

namespace aio {

// What can come to hold itself.
class JinjaChangeable {
 public:
  virtual ~JinjaChangeable() = default;
  virtual void Clear() = 0;
};

// Faults are sticky: the first stands, and what is computed after it does not matter, so that
// functions need not look after every step; whatever repeats looks at failed(). All values are
// made here, where they are paid for.
class JinjaRun {
 public:
  JinjaRun(const JinjaLimits& limits, int64_t unix_seconds)
      : limits_(limits), unix_seconds_(unix_seconds) {}

  bool failed() const { return !fault_.ok(); }
  const Status& fault() const { return fault_; }
  // Returns undefined, for the caller to return.
  JinjaValue Fault(std::string message);

  // Of what is evaluated now, for faults.
  void set_line(int line) { line_ = line; }
  int line() const { return line_; }
  int64_t unix_seconds() const { return unix_seconds_; }

  // Takes from the budget; false when there has been a fault.
  bool Charge(int64_t steps = 1);
  bool ChargeBytes(int64_t bytes);
  // What is read byte for byte costs a step for every few of them.
  bool ChargeReading(size_t bytes) { return Charge(static_cast<int64_t>(bytes) / 8); }
  // For `count` parts of texts that are about to be made, without their bytes; and for items.
  bool ChargeParts(size_t count);
  bool ChargeItems(size_t count);

  JinjaValue Text(MarkedText text);
  // A list of texts. ChargeParts() goes before the making of `texts`.
  JinjaValue Texts(std::vector<MarkedText> texts);
  JinjaValue List(std::vector<JinjaValue> items,
                  JinjaValue::Sequence sequence = JinjaValue::Sequence::kList);
  JinjaValue Dict(JinjaValue::Members members);
  JinjaValue Object(std::shared_ptr<JinjaObject> object);

  // Python's str(value), paid for.
  MarkedText Str(const JinjaValue& value);
  // What a loop over `value` goes through: the characters of a text, the keys of a dict. Empty
  // after a fault.
  std::vector<JinjaValue> Iterate(const JinjaValue& value);

  // Ends `thing` with the run, whatever refers to it: its own members may.
  void Keep(std::shared_ptr<JinjaChangeable> thing) { kept_.push_back(std::move(thing)); }

  // Levels of evaluation within each other: an Enter() for each Leave(), whatever it returns.
  bool Enter();
  void Leave() { --depth_; }

  ~JinjaRun() {
    for (const auto& thing : kept_) thing->Clear();
  }
  JinjaRun(const JinjaRun&) = delete;
  JinjaRun& operator=(const JinjaRun&) = delete;

 private:
  // `value`, or a fault if there is too much within each other.
  JinjaValue Bounded(JinjaValue value);

  const JinjaLimits& limits_;
  const int64_t unix_seconds_;
  int64_t steps_ = 0;
  int64_t bytes_ = 0;
  int depth_ = 0;
  int line_ = 1;
  Status fault_;
  std::vector<std::shared_ptr<JinjaChangeable>> kept_;
};

struct JinjaArguments {
  std::vector<JinjaValue> positional;
  std::vector<std::pair<std::string_view, JinjaValue>> named;  // names are the template's

  // Undefined: not given.
  JinjaValue operator[](size_t i) const {
    return i < positional.size() ? positional[i] : JinjaValue();
  }
};

// A function that templates know by name: a filter, a test, a method, a global.
struct JinjaFunction {
  std::string_view name;
  // By their places, apart by spaces; "*": whatever is given goes through as it is.
  std::string_view parameters;
  JinjaValue (*call)(JinjaRun& run, const JinjaValue& input, const JinjaArguments& arguments);
};

// Puts named arguments at their places and calls. A fault: more of them, or unknown names.
JinjaValue CallFunction(JinjaRun& run, const JinjaFunction& function, const JinjaValue& input,
                        JinjaArguments arguments);

// An argument as what it must be, or a fault.
std::optional<int64_t> IntArgument(JinjaRun& run, const JinjaValue& value, int64_t or_else);
std::optional<std::string> TextArgument(JinjaRun& run, const JinjaValue& value,
                                        std::string_view or_else);

}  // namespace aio

#endif  // AIO_JINJA_RUN_H_
