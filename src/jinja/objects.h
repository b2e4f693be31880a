// The values of templates that are neither data nor text. Internal to jinja/.
#ifndef AIO_JINJA_OBJECTS_H_
#define AIO_JINJA_OBJECTS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/run.h"
#include "jinja/value.h"

namespace aio {

// The one value that a template can change.
class JinjaNamespace final : public JinjaObject, public JinjaChangeable {
 public:
  std::string_view TypeName() const override { return "Namespace"; }
  void Clear() override { members.clear(); }

  std::map<std::string, JinjaValue, std::less<>> members;
};

class JinjaCallable : public JinjaObject {
 public:
  virtual JinjaValue Call(JinjaRun& run, JinjaArguments arguments) = 0;
};

// A method with its object, or a global function.
class JinjaBoundFunction final : public JinjaCallable {
 public:
  JinjaBoundFunction(const JinjaFunction& function, JinjaValue self)
      : function_(function), self_(std::move(self)) {}

  std::string_view TypeName() const override { return "function"; }
  int depth() const override { return self_.depth() + 1; }
  JinjaValue Call(JinjaRun& run, JinjaArguments arguments) override {
    return CallFunction(run, function_, self_, std::move(arguments));
  }

 private:
  const JinjaFunction& function_;  // static
  const JinjaValue self_;
};

// `loop` inside of a loop.
class JinjaLoop final : public JinjaObject,
                        public JinjaChangeable,
                        public std::enable_shared_from_this<JinjaLoop> {
 public:
  explicit JinjaLoop(std::vector<JinjaValue> items);

  std::string_view TypeName() const override { return "LoopContext"; }
  // Without what Changed() keeps, which ends with the run.
  int depth() const override { return depth_; }
  void Clear() override { last_asked_ = {}; }
  const std::vector<JinjaValue>& items() const { return items_; }
  void set_index(size_t index) { index_ = index; }
  // Undefined for what it has not.
  JinjaValue Attribute(std::string_view name) const;
  // Whether `value` differs from what was asked about before. It may hold this loop, so the first
  // one has `run` keep the loop.
  bool Changed(JinjaRun& run, JinjaValue value);
  size_t index() const { return index_; }

 private:
  const std::vector<JinjaValue> items_;
  int depth_ = 1;
  size_t index_ = 0;
  bool asked_ = false;
  JinjaValue last_asked_;
};

// Attribute and item, as Jinja's sandbox looks them up: a method, a member, or undefined.
JinjaValue GetAttribute(JinjaRun& run, const JinjaValue& object, std::string_view name);
JinjaValue GetItem(JinjaRun& run, const JinjaValue& object, const JinjaValue& key);
// "a.b.0": attributes of attributes, numbers as indices; or an int.
JinjaValue GetPath(JinjaRun& run, JinjaValue object, const JinjaValue& path);
struct JinjaSlice {
  JinjaValue start, stop, step;
};
JinjaValue GetSlice(JinjaRun& run, const JinjaValue& object, const JinjaSlice& slice);

// Null: there is none.
const JinjaFunction* FindJinjaMethod(const JinjaValue& object, std::string_view name);
// range, namespace, dict, raise_exception, strftime_now.
const JinjaFunction* FindJinjaGlobal(std::string_view name);

// str.replace(), paid for; `count` < 0: all.
struct JinjaReplacement {
  const MarkedText& from;
  const MarkedText& to;
};
JinjaValue ReplaceIn(JinjaRun& run, const MarkedText& text, const JinjaReplacement& replacement,
                     int64_t count);

JinjaValue CallValue(JinjaRun& run, const JinjaValue& function, JinjaArguments arguments);

}  // namespace aio

#endif  // AIO_JINJA_OBJECTS_H_
