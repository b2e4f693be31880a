// What a template computes with: Python's values, as far as templates see them.
#ifndef AIO_JINJA_VALUE_H_
#define AIO_JINJA_VALUE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "jinja/marked_text.h"

namespace aio {

class JinjaObject;
struct JinjaDict;
struct JinjaList;

// Value type, cheap to copy: texts, lists and dicts are shared and never change. Only a Namespace
// (an object) can change.
class JinjaValue {
 public:
  enum class Kind { kUndefined, kNone, kBool, kInt, kFloat, kText, kList, kDict, kObject };
  // How Python calls a sequence decides what can be asked of it: a generator has no length and is
  // never false.
  enum class Sequence { kList, kTuple, kGenerator };
  using Members = std::vector<std::pair<JinjaValue, JinjaValue>>;

  JinjaValue() = default;  // undefined, of no name
  // What is not there, and how to speak of it: "'x' is undefined".
  static JinjaValue Undefined(std::string message);
  static JinjaValue None();
  static JinjaValue Bool(bool value);
  static JinjaValue Int(int64_t value);
  static JinjaValue Float(double value);
  static JinjaValue Text(MarkedText text);
  static JinjaValue TemplateText(std::string text) {
    return Text(MarkedText(std::move(text), false));
  }
  static JinjaValue DataText(std::string text) { return Text(MarkedText(std::move(text), true)); }
  static JinjaValue List(std::vector<JinjaValue> items, Sequence sequence = Sequence::kList);
  // Whether it can be the key of a dict here: Python allows tuples and more.
  static bool IsHashable(const JinjaValue& key);
  // All keys must be hashable. Of equal ones the last value counts, at the first one's place.
  static JinjaValue Dict(Members members);
  static JinjaValue Object(std::shared_ptr<JinjaObject> object);

  Kind kind() const { return static_cast<Kind>(state_.index()); }
  bool Is(Kind kind) const { return this->kind() == kind; }
  bool is_undefined() const { return Is(Kind::kUndefined); }
  bool is_none() const { return Is(Kind::kNone); }
  bool is_text() const { return Is(Kind::kText); }
  bool is_list() const { return Is(Kind::kList); }
  bool is_dict() const { return Is(Kind::kDict); }
  // Python's bool is an int.
  bool is_integer() const { return Is(Kind::kInt) || Is(Kind::kBool); }
  bool is_number() const { return is_integer() || Is(Kind::kFloat); }

  // Each of its kind only; integer() also of a bool, number() of any number.
  const MarkedText& text() const;
  const std::string& bytes() const { return text().bytes(); }
  const JinjaList& list() const;
  const JinjaDict& dict() const;
  JinjaObject* object() const;
  int64_t integer() const;
  double number() const;
  // Of an undefined one.
  std::string undefined_message() const;

  bool IsTrue() const;
  // Levels of what holds values within each other: lists, dicts, and objects that hold values which
  // cannot change; 0 for all else.
  int depth() const;
  // About the bytes that writing it out takes, what is shared counted each time; bounded.
  int64_t weight() const;
  // As Python's type() names it: "str", "NoneType".
  std::string_view TypeName() const;
  // The member of a dict by a text key; null: there is none, or this is no dict.
  const JinjaValue* Find(std::string_view key) const;

  // Python's ==: 1 == 1.0 == true; texts by their characters, objects by identity.
  friend bool operator==(const JinjaValue& a, const JinjaValue& b);

 private:
  struct NoneType {};
  using UndefinedType = std::shared_ptr<const std::string>;  // may be null
  std::variant<UndefinedType, NoneType, bool, int64_t, double, std::shared_ptr<const MarkedText>,
               std::shared_ptr<const JinjaList>, std::shared_ptr<const JinjaDict>,
               std::shared_ptr<JinjaObject>>
      state_;
};

struct JinjaList {
  std::vector<JinjaValue> items;
  JinjaValue::Sequence sequence = JinjaValue::Sequence::kList;
  int depth = 1;       // JinjaValue::depth()
  int64_t weight = 0;  // JinjaValue::weight()
};

struct JinjaDict {
  JinjaValue::Members members;   // keys are distinct, in the order they came
  int depth = 1;                 // JinjaValue::depth()
  int64_t weight = 0;            // JinjaValue::weight()
  std::vector<size_t> by_key{};  // places in `members`, by order of the keys

  // Null: there is none. The comparisons are as many as the logarithm of the members.
  const JinjaValue* Find(const JinjaValue& key) const;
  const JinjaValue* Find(std::string_view key) const;
};

// What is neither data nor text: functions, loops, namespaces. Internal to jinja/.
class JinjaObject {
 public:
  virtual ~JinjaObject() = default;
  virtual std::string_view TypeName() const = 0;
  // Levels of values that go with this object when it goes. 0 for what ends with the run alone.
  virtual int depth() const { return 0; }
};

}  // namespace aio

#endif  // AIO_JINJA_VALUE_H_
