#include "jinja/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/check.h"

namespace aio {
namespace {

bool EqualLists(const JinjaList& a, const JinjaList& b) {
  const auto is_tuple = [](const JinjaList& list) {
    return list.sequence == JinjaValue::Sequence::kTuple;
  };
  return is_tuple(a) == is_tuple(b) && a.items == b.items;
}

bool EqualDicts(const JinjaDict& a, const JinjaDict& b) {
  if (a.members.size() != b.members.size()) return false;
  return std::all_of(a.members.begin(), a.members.end(), [&b](const auto& member) {
    const JinjaValue* other = b.Find(member.first);
    return other != nullptr && *other == member.second;
  });
}

// The same for equal keys.
std::string HashKey(const JinjaValue& key) {
  AIO_CHECK(JinjaValue::IsHashable(key), "no key of a dict");
  if (key.is_text()) return "t" + key.bytes();
  return key.is_none() ? "none" : fmt::format("n{}", key.number());
}

int64_t AddWeights(int64_t a, int64_t b) {
  constexpr int64_t kWeightMax = int64_t{1} << 60;
  return std::min(a + b, kWeightMax);
}

}  // namespace

bool JinjaValue::IsHashable(const JinjaValue& key) {
  return key.is_text() || key.is_number() || key.is_none();
}

JinjaValue JinjaValue::Undefined(std::string message) {
  JinjaValue value;
  value.state_ = std::make_shared<const std::string>(std::move(message));
  return value;
}

JinjaValue JinjaValue::None() {
  JinjaValue value;
  value.state_ = NoneType();
  return value;
}

JinjaValue JinjaValue::Bool(bool b) {
  JinjaValue value;
  value.state_ = b;
  return value;
}

JinjaValue JinjaValue::Int(int64_t number) {
  JinjaValue value;
  value.state_ = number;
  return value;
}

JinjaValue JinjaValue::Float(double number) {
  JinjaValue value;
  value.state_ = number;
  return value;
}

JinjaValue JinjaValue::Text(MarkedText text) {
  JinjaValue value;
  value.state_ = std::make_shared<const MarkedText>(std::move(text));
  return value;
}

JinjaValue JinjaValue::List(std::vector<JinjaValue> items, Sequence sequence) {
  JinjaList list{std::move(items), sequence};
  for (const JinjaValue& item : list.items) {
    list.depth = std::max(list.depth, item.depth() + 1);
    list.weight = AddWeights(list.weight, item.weight());
  }
  JinjaValue value;
  value.state_ = std::make_shared<const JinjaList>(std::move(list));
  return value;
}

JinjaValue JinjaValue::Dict(Members members) {
  JinjaDict dict;
  dict.members.reserve(members.size());
  std::unordered_map<std::string, size_t> places;
  for (auto& [key, member] : members) {
    dict.depth = std::max(dict.depth, member.depth() + 1);
    dict.weight = AddWeights(dict.weight, AddWeights(key.weight(), member.weight()));
    const auto [place, is_new] = places.emplace(HashKey(key), dict.members.size());
    if (is_new) {
      dict.members.emplace_back(std::move(key), std::move(member));
    } else {
      dict.members[place->second].second = std::move(member);
    }
  }
  JinjaValue value;
  value.state_ = std::make_shared<const JinjaDict>(std::move(dict));
  return value;
}

JinjaValue JinjaValue::Object(std::shared_ptr<JinjaObject> object) {
  JinjaValue value;
  value.state_ = std::move(object);
  return value;
}

const MarkedText& JinjaValue::text() const {
  return *std::get<std::shared_ptr<const MarkedText>>(state_);
}
const JinjaList& JinjaValue::list() const {
  return *std::get<std::shared_ptr<const JinjaList>>(state_);
}
const JinjaDict& JinjaValue::dict() const {
  return *std::get<std::shared_ptr<const JinjaDict>>(state_);
}
JinjaObject* JinjaValue::object() const {
  return std::get<std::shared_ptr<JinjaObject>>(state_).get();
}

int64_t JinjaValue::integer() const {
  if (const bool* b = std::get_if<bool>(&state_)) return *b ? 1 : 0;
  return std::get<int64_t>(state_);
}

double JinjaValue::number() const {
  if (const double* number = std::get_if<double>(&state_)) return *number;
  return static_cast<double>(integer());
}

std::string JinjaValue::undefined_message() const {
  const UndefinedType& message = std::get<UndefinedType>(state_);
  return message == nullptr ? "a value is undefined" : *message;
}

bool JinjaValue::IsTrue() const {
  switch (kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return integer() != 0;
    case Kind::kFloat:
      return number() != 0;
    case Kind::kText:
      return !text().empty();
    case Kind::kList:
      return !list().items.empty() || list().sequence == Sequence::kGenerator;
    case Kind::kDict:
      return !dict().members.empty();
    case Kind::kObject:
      return true;
  }
  return false;
}

int JinjaValue::depth() const { return is_list() ? list().depth : is_dict() ? dict().depth : 0; }

int64_t JinjaValue::weight() const {
  constexpr int64_t kOwn = 8;  // brackets, a comma, quotation marks
  if (is_text()) return static_cast<int64_t>(text().size()) + kOwn;
  return (is_list() ? list().weight : is_dict() ? dict().weight : 0) + kOwn;
}

std::string_view JinjaValue::TypeName() const {
  switch (kind()) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kText:
      return "str";
    case Kind::kList:
      return list().sequence == Sequence::kTuple       ? "tuple"
             : list().sequence == Sequence::kGenerator ? "generator"
                                                       : "list";
    case Kind::kDict:
      return "dict";
    case Kind::kObject:
      return object()->TypeName();
  }
  return "";
}

const JinjaValue* JinjaValue::Find(std::string_view key) const {
  if (!is_dict()) return nullptr;
  for (const auto& [name, member] : dict().members) {
    if (name.is_text() && name.bytes() == key) return &member;
  }
  return nullptr;
}

const JinjaValue* JinjaDict::Find(const JinjaValue& key) const {
  for (const auto& [name, member] : members) {
    if (name == key) return &member;
  }
  return nullptr;
}

bool operator==(const JinjaValue& a, const JinjaValue& b) {
  using Kind = JinjaValue::Kind;
  if (a.is_integer() && b.is_integer()) return a.integer() == b.integer();
  if (a.is_number() && b.is_number()) return a.number() == b.number();
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kText:
      return a.text() == b.text();
    case Kind::kList:
      return EqualLists(a.list(), b.list());
    case Kind::kDict:
      return EqualDicts(a.dict(), b.dict());
    case Kind::kObject:
      return a.object() == b.object();
    default:
      return false;  // numbers were compared above
  }
}

}  // namespace aio
