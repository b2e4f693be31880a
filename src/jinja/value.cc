#include "jinja/value.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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

template <typename T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// Exact, as a double cannot hold every integer.
int OrderOf(int64_t a, double b) {
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (!(b < kEnd)) return -1;                     // also NaN
  if (b < -kEnd) return 1;
  const auto whole = static_cast<int64_t>(b);
  return a != whole ? Sign(a, whole) : Sign(static_cast<double>(whole), b);
}

// NaN is the last.
int OrderOfNumbers(const JinjaValue& a, const JinjaValue& b) {
  if (a.is_integer() && b.is_integer()) return Sign(a.integer(), b.integer());
  if (a.is_integer()) return OrderOf(a.integer(), b.number());
  if (b.is_integer()) return -OrderOf(b.integer(), a.number());
  const int nans = Sign(std::isnan(a.number()), std::isnan(b.number()));
  return nans != 0 ? nans : Sign(a.number(), b.number());
}

int OrderOfKeys(const JinjaValue& a, const JinjaValue& b) {
  const auto kind = [](const JinjaValue& key) {
    return key.is_text() ? 2 : key.is_number() ? 1 : 0;
  };
  if (kind(a) != kind(b)) return Sign(kind(a), kind(b));
  if (a.is_text()) return a.bytes().compare(b.bytes());
  return a.is_number() ? OrderOfNumbers(a, b) : 0;
}

// Of keys sorted rather than hashed: no choice of keys makes that slow.
template <typename Order>
const JinjaValue* FindMember(const JinjaDict& dict, Order order_of) {
  const auto found =
      std::partition_point(dict.by_key.begin(), dict.by_key.end(),
                           [&](size_t place) { return order_of(dict.members[place].first) < 0; });
  if (found == dict.by_key.end() || order_of(dict.members[*found].first) != 0) return nullptr;
  return &dict.members[*found].second;
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
  for (const auto& [key, member] : members) {
    AIO_CHECK(IsHashable(key), "no key of a dict");
    dict.depth = std::max(dict.depth, member.depth() + 1);
    dict.weight = AddWeights(dict.weight, AddWeights(key.weight(), member.weight()));
  }
  std::vector<size_t> sorted(members.size());
  std::iota(sorted.begin(), sorted.end(), size_t{0});
  std::stable_sort(sorted.begin(), sorted.end(), [&members](size_t a, size_t b) {
    return OrderOfKeys(members[a].first, members[b].first) < 0;
  });
  std::vector<bool> stays(members.size(), true);
  for (size_t i = 0; i < sorted.size();) {
    const size_t first = sorted[i];
    dict.by_key.push_back(first);
    for (++i; i < sorted.size(); ++i) {
      if (OrderOfKeys(members[first].first, members[sorted[i]].first) != 0) break;
      members[first].second = std::move(members[sorted[i]].second);
      stays[sorted[i]] = false;
    }
  }
  if (dict.by_key.size() == members.size()) {
    dict.members = std::move(members);
  } else {
    std::vector<size_t> places(members.size());
    for (size_t i = 0; i < members.size(); ++i) {
      places[i] = dict.members.size();
      if (stays[i]) dict.members.push_back(std::move(members[i]));
    }
    for (size_t& place : dict.by_key) place = places[place];
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

int JinjaValue::depth() const {
  if (is_list()) return list().depth;
  if (is_dict()) return dict().depth;
  return Is(Kind::kObject) ? object()->depth() : 0;
}

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
  return is_dict() ? dict().Find(key) : nullptr;
}

const JinjaValue* JinjaDict::Find(const JinjaValue& key) const {
  if (!JinjaValue::IsHashable(key)) return nullptr;
  return FindMember(*this, [&key](const JinjaValue& own) { return OrderOfKeys(own, key); });
}

const JinjaValue* JinjaDict::Find(std::string_view key) const {
  return FindMember(*this, [key](const JinjaValue& own) {
    return own.is_text() ? std::string_view(own.bytes()).compare(key) : -1;
  });
}

bool operator==(const JinjaValue& a, const JinjaValue& b) {
  using Kind = JinjaValue::Kind;
  if (a.Is(Kind::kFloat) && b.Is(Kind::kFloat)) return a.number() == b.number();
  if (a.is_number() && b.is_number()) return OrderOfNumbers(a, b) == 0;
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
