#include "jinja/json_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "jinja/python_text.h"

namespace aio {
namespace {

constexpr size_t kDepthMax = 64;

// What is read of an array or an object that is open.
struct Open {
  bool is_object;
  std::vector<JinjaValue> items;
  JinjaValue::Members members;
  JinjaValue key;
};

class Reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  JinjaValue Take() { return std::move(result_); }
  const std::string& fault() const { return fault_; }

  bool null() override { return Add(JinjaValue::None()); }
  bool boolean(bool value) override { return Add(JinjaValue::Bool(value)); }
  bool number_integer(number_integer_t value) override { return Add(JinjaValue::Int(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Add(JinjaValue::Float(static_cast<double>(value)));
    }
    return Add(JinjaValue::Int(static_cast<int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& /*as_written*/) override {
    return Add(JinjaValue::Float(value));
  }
  bool string(string_t& value) override { return Add(JinjaValue::DataText(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(size_t /*size*/) override { return Begin(true); }
  bool key(string_t& name) override {
    open_.back().key = JinjaValue::DataText(std::move(name));
    return true;
  }
  bool end_object() override { return End(); }
  bool start_array(size_t /*size*/) override { return Begin(false); }
  bool end_array() override { return End(); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    fault_ = fmt::format("it is no JSON at byte {}", position);
    return false;
  }

 private:
  bool Begin(bool is_object) {
    if (open_.size() == kDepthMax) {
      fault_ = fmt::format("it is more than {} levels deep", kDepthMax);
      return false;
    }
    open_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool End() {
    Open ended = std::move(open_.back());
    open_.pop_back();
    return Add(ended.is_object ? JinjaValue::Dict(std::move(ended.members))
                               : JinjaValue::List(std::move(ended.items)));
  }
  bool Add(JinjaValue value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().members.emplace_back(std::move(open_.back().key), std::move(value));
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Open> open_;
  JinjaValue result_;
  std::string fault_;
};

class Writer {
 public:
  explicit Writer(const JsonStyle& style) : style_(style) {}

  Result<MarkedText> Write(const JinjaValue& value) {
    AIO_RETURN_IF_ERROR(Add(value));
    return std::move(out_);
  }

 private:
  using Kind = JinjaValue::Kind;

  Status Add(const JinjaValue& value) {
    switch (value.kind()) {
      case Kind::kNone:
        Raw("null");
        return Status::Ok();
      case Kind::kBool:
        Raw(value.integer() != 0 ? "true" : "false");
        return Status::Ok();
      case Kind::kInt:
        Raw(std::to_string(value.integer()));
        return Status::Ok();
      case Kind::kFloat:
        AddFloat(value.number());
        return Status::Ok();
      case Kind::kText:
        AddText(value.text());
        return Status::Ok();
      case Kind::kList:
        if (value.list().sequence == JinjaValue::Sequence::kGenerator) break;
        return AddList(value.list());
      case Kind::kDict:
        return AddDict(value.dict());
      case Kind::kUndefined:
      case Kind::kObject:
        break;
    }
    return InvalidArgument(
        fmt::format("Object of type {} is not JSON serializable", value.TypeName()));
  }

  void Raw(std::string_view text) { out_.Append(text, /*is_data=*/true); }

  void AddFloat(double value) {
    if (std::isnan(value)) return Raw("NaN");
    if (std::isinf(value)) return Raw(value > 0 ? "Infinity" : "-Infinity");
    Raw(FloatRepr(value));
  }

  void AddText(const MarkedText& text) {
    Raw("\"");
    for (size_t at = 0; at < text.size();) {
      const Utf8Step step = DecodeUtf8(std::string_view(text.bytes()).substr(at));
      const std::string escaped = Escaped(step);
      if (escaped.empty()) {
        out_.AppendPart(text, at, step.length);
      } else {
        out_.Append(escaped, text.is_data(at));
      }
      at += step.length;
    }
    Raw("\"");
  }

  // Empty for what stands for itself.
  std::string Escaped(const Utf8Step& step) const {
    constexpr std::string_view kNamed = "\"\\\n\r\t\f\b";
    constexpr std::string_view kNames = "\"\\nrtfb";
    const auto c = static_cast<uint32_t>(step.code_point);
    if (c < 0x80) {
      const size_t name = kNamed.find(static_cast<char>(c));
      if (name != std::string_view::npos) return {'\\', kNames[name]};
      return c < 0x20 ? fmt::format("\\u{:04x}", c) : "";
    }
    if (style_.ensure_ascii && c >= 0x10000) {
      return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((c - 0x10000) >> 10),
                         0xDC00 + ((c - 0x10000) & 0x3FF));
    }
    if (style_.ensure_ascii) return fmt::format("\\u{:04x}", c);
    return step.valid ? "" : "\xEF\xBF\xBD";
  }

  void BreakLine() {
    if (style_.indent >= 0)
      Raw("\n" + std::string(level_ * static_cast<size_t>(style_.indent), ' '));
  }
  void BeginItem(bool first) {
    if (!first) Raw(style_.item_separator);
    BreakLine();
  }

  Status AddList(const JinjaList& list) {
    if (list.items.empty()) {
      Raw("[]");
      return Status::Ok();
    }
    Raw("[");
    ++level_;
    for (size_t i = 0; i < list.items.size(); ++i) {
      BeginItem(i == 0);
      AIO_RETURN_IF_ERROR(Add(list.items[i]));
    }
    --level_;
    BreakLine();
    Raw("]");
    return Status::Ok();
  }

  Status AddDict(const JinjaDict& dict) {
    if (dict.members.empty()) {
      Raw("{}");
      return Status::Ok();
    }
    std::vector<std::pair<MarkedText, const JinjaValue*>> members;
    members.reserve(dict.members.size());
    for (const auto& [key, member] : dict.members) members.emplace_back(KeyText(key), &member);
    if (style_.sort_keys) {
      std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
        return a.first.bytes() < b.first.bytes();
      });
    }
    Raw("{");
    ++level_;
    for (size_t i = 0; i < members.size(); ++i) {
      BeginItem(i == 0);
      AddText(members[i].first);
      Raw(style_.key_separator);
      AIO_RETURN_IF_ERROR(Add(*members[i].second));
    }
    --level_;
    BreakLine();
    Raw("}");
    return Status::Ok();
  }

  // JSON has text keys alone.
  static MarkedText KeyText(const JinjaValue& key) {
    if (key.is_text()) return key.text();
    if (key.is_none()) return {"null", true};
    if (key.Is(Kind::kBool)) return {key.integer() != 0 ? "true" : "false", true};
    return PythonStr(key);
  }

  const JsonStyle& style_;
  size_t level_ = 0;
  MarkedText out_;
};

}  // namespace

Result<JinjaValue> ParseJsonValue(std::string_view json) {
  Reader reader;
  if (nlohmann::json::sax_parse(json, &reader)) return reader.Take();
  return InvalidArgument(reader.fault().empty() ? "it is no JSON" : reader.fault());
}

Result<MarkedText> WriteJsonValue(const JinjaValue& value, const JsonStyle& style) {
  return Writer(style).Write(value);
}

}  // namespace aio
