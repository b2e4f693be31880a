#include "jinja/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "jinja/python_text.h"

namespace aio {
namespace {

using Kind = JinjaValue::Kind;

JinjaValue NoAttribute(const JinjaValue& object, std::string_view name) {
  return JinjaValue::Undefined(
      fmt::format("'{} object' has no attribute '{:.100}'", object.TypeName(), name));
}

// What finding a key in a dict costs beside the step.
bool ChargeFind(JinjaRun& run, std::string_view key) { return run.ChargeReading(key.size()); }

// What is asked of the elements of a text or list by their number; negative ones count from the
// end. Undefined beyond them.
JinjaValue ElementAt(JinjaRun& run, const JinjaValue& object, int64_t index) {
  const auto absolute = [index](size_t size) {
    return index < 0 ? index + static_cast<int64_t>(size) : index;
  };
  JinjaValue none =
      JinjaValue::Undefined(fmt::format("'{} object' has no element {}", object.TypeName(), index));
  if (object.is_list()) {
    const std::vector<JinjaValue>& items = object.list().items;
    const int64_t at = absolute(items.size());
    return at >= 0 && at < static_cast<int64_t>(items.size()) ? items[at] : none;
  }
  if (!run.ChargeReading(object.text().size())) return {};
  const std::string& bytes = object.bytes();
  const int64_t at = absolute(index < 0 ? CountChars(bytes) : bytes.size());
  if (at < 0) return none;
  const size_t begin = CharOffset(bytes, static_cast<size_t>(at));
  if (begin == bytes.size()) return none;
  return run.Text(object.text().Part(begin, CharLength(bytes, begin)));
}

struct SliceRange {
  int64_t start, stop, step;
};

// Python's slice.indices(size).
SliceRange Indices(int64_t size, int64_t step, const std::optional<int64_t>& start,
                   const std::optional<int64_t>& stop) {
  const int64_t lower = step < 0 ? -1 : 0;
  const int64_t upper = step < 0 ? size - 1 : size;
  const auto clip = [&](int64_t index) {
    if (index < 0) index = std::max(index, -size) + size;  // -size - 1 and below are all "before"
    return std::clamp(index, lower, upper);
  };
  const auto clip_below = [&](int64_t index) { return index < -size ? lower : clip(index); };
  return {start ? clip_below(*start) : (step < 0 ? upper : lower),
          stop ? clip_below(*stop) : (step < 0 ? lower : upper), step};
}

std::optional<int64_t> SlicePart(JinjaRun& run, const JinjaValue& part) {
  if (part.is_none() || part.is_undefined()) return std::nullopt;
  return IntArgument(run, part, 0);
}

}  // namespace

JinjaLoop::JinjaLoop(std::vector<JinjaValue> items) : items_(std::move(items)) {
  for (const JinjaValue& item : items_) depth_ = std::max(depth_, item.depth() + 1);
}

JinjaValue JinjaLoop::Attribute(std::string_view name) const {
  const auto number = [](size_t value) { return JinjaValue::Int(static_cast<int64_t>(value)); };
  const size_t size = items_.size();
  if (name == "index") return number(index_ + 1);
  if (name == "index0") return number(index_);
  if (name == "revindex") return number(size - index_);
  if (name == "revindex0") return number(size - index_ - 1);
  if (name == "first") return JinjaValue::Bool(index_ == 0);
  if (name == "last") return JinjaValue::Bool(index_ + 1 == size);
  if (name == "length") return number(size);
  if (name == "depth") return number(1);  // of loops that call themselves
  if (name == "depth0") return number(0);
  if (name == "previtem") {
    return index_ > 0 ? items_[index_ - 1] : JinjaValue::Undefined("there is no previous item");
  }
  if (name == "nextitem") {
    return index_ + 1 < size ? items_[index_ + 1] : JinjaValue::Undefined("there is no next item");
  }
  return JinjaValue::Undefined(
      fmt::format("'LoopContext object' has no attribute '{:.100}'", name));
}

bool JinjaLoop::Changed(JinjaRun& run, JinjaValue value) {
  if (!asked_) run.Keep(shared_from_this());
  const bool changed = !asked_ || !(last_asked_ == value);
  asked_ = true;
  last_asked_ = std::move(value);
  return changed;
}

JinjaValue GetAttribute(JinjaRun& run, const JinjaValue& object, std::string_view name) {
  if (object.is_undefined()) return run.Fault(object.undefined_message());
  if (const JinjaFunction* method = FindJinjaMethod(object, name)) {
    return run.Object(std::make_shared<JinjaBoundFunction>(*method, object));
  }
  if (!ChargeFind(run, name)) return {};
  if (object.is_dict()) {
    const JinjaValue* member = object.Find(name);
    return member != nullptr ? *member : NoAttribute(object, name);
  }
  if (object.Is(Kind::kObject)) {
    if (auto* names = dynamic_cast<JinjaNamespace*>(object.object())) {
      const auto member = names->members.find(name);
      if (member != names->members.end()) return member->second;
    }
    if (auto* loop = dynamic_cast<JinjaLoop*>(object.object())) return loop->Attribute(name);
  }
  return NoAttribute(object, name);
}

JinjaValue GetItem(JinjaRun& run, const JinjaValue& object, const JinjaValue& key) {
  if (object.is_undefined()) return run.Fault(object.undefined_message());
  if (object.is_dict() && JinjaValue::IsHashable(key)) {
    if (key.is_text() && !ChargeFind(run, key.bytes())) return {};
    if (const JinjaValue* member = object.dict().Find(key)) return *member;
  }
  if ((object.is_list() || object.is_text()) && key.is_integer()) {
    return ElementAt(run, object, key.integer());
  }
  if (key.is_text()) return GetAttribute(run, object, key.bytes());
  return JinjaValue::Undefined(
      fmt::format("'{} object' has no element {:.100}", object.TypeName(), run.Str(key).bytes()));
}

JinjaValue GetPath(JinjaRun& run, JinjaValue object, const JinjaValue& path) {
  if (!path.is_text()) return GetItem(run, object, path);
  std::string_view rest = path.bytes();
  for (;;) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (!run.Charge() || !run.ChargeReading(part.size())) return {};
    int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index = read.ec == std::errc() && read.ptr == part.data() + part.size();
    object =
        GetItem(run, object,
                is_index ? JinjaValue::Int(index) : JinjaValue::TemplateText(std::string(part)));
    if (end == rest.size()) return object;
    rest.remove_prefix(end + 1);
  }
}

JinjaValue GetSlice(JinjaRun& run, const JinjaValue& object, const JinjaSlice& slice) {
  if (object.is_undefined()) return run.Fault(object.undefined_message());
  const bool can = object.is_text() ||
                   (object.is_list() && object.list().sequence != JinjaValue::Sequence::kGenerator);
  if (!can) return NoAttribute(object, "slice");
  const int64_t step = SlicePart(run, slice.step).value_or(1);
  if (step == 0) return run.Fault("slice step cannot be zero");
  const bool is_part = object.is_text() && step == 1;
  std::vector<size_t> offsets;
  if (object.is_text()) {
    const size_t bytes_a_char = is_part ? 1 : sizeof(size_t);
    if (!run.ChargeBytes(static_cast<int64_t>(object.text().size() * bytes_a_char))) return {};
    if (!is_part) offsets = CharOffsets(object.bytes());
  }
  const size_t size = !object.is_text() ? object.list().items.size()
                      : is_part         ? CountChars(object.bytes())
                                        : offsets.size() - 1;
  const SliceRange range = Indices(static_cast<int64_t>(size), step, SlicePart(run, slice.start),
                                   SlicePart(run, slice.stop));
  if (is_part) {
    const std::string& bytes = object.bytes();
    const size_t begin = CharOffset(bytes, static_cast<size_t>(range.start));
    const size_t end = CharOffset(bytes, static_cast<size_t>(std::max(range.start, range.stop)));
    return run.Text(object.text().Part(begin, end - begin));
  }
  MarkedText text;
  std::vector<JinjaValue> items;
  for (int64_t i = range.start; step > 0 ? i < range.stop : i > range.stop;) {
    if (object.is_text()) {
      text.AppendPart(object.text(), offsets[i], offsets[i + 1] - offsets[i]);
    } else {
      items.push_back(object.list().items[i]);
    }
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return object.is_text() ? run.Text(std::move(text))
                          : run.List(std::move(items), object.list().sequence);
}

JinjaValue ReplaceIn(JinjaRun& run, const MarkedText& text, const JinjaReplacement& replacement,
                     int64_t count) {
  const std::string& from = replacement.from.bytes();
  if (!run.ChargeReading(text.size())) return {};
  auto hits = static_cast<int64_t>(from.empty() ? text.size() + 1 : CountParts(text.bytes(), from));
  if (count >= 0) hits = std::min(hits, count);
  int64_t added = 0;
  if (__builtin_mul_overflow(hits, static_cast<int64_t>(replacement.to.size()), &added) ||
      !run.ChargeBytes(added)) {
    return run.Fault("a replacement is too long");
  }
  return run.Text(Replace(text, from, replacement.to, count));
}

JinjaValue CallValue(JinjaRun& run, const JinjaValue& function, JinjaArguments arguments) {
  if (function.is_undefined()) return run.Fault(function.undefined_message());
  auto* callable =
      function.Is(Kind::kObject) ? dynamic_cast<JinjaCallable*>(function.object()) : nullptr;
  if (callable == nullptr) {
    return run.Fault(fmt::format("'{}' object is not callable", function.TypeName()));
  }
  if (!run.Charge()) return {};
  return callable->Call(run, std::move(arguments));
}

}  // namespace aio
