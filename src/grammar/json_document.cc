#include "grammar/json_document.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace aio {

namespace {

// nlohmann's parser without its tree: that one sorts members, or finds each by looking at all.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Put({}); }
  bool boolean(bool value) override { return Put({.kind = JsonKind::kBoolean, .boolean = value}); }
  bool number_integer(number_integer_t value) override { return PutNumber(fmt::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return PutNumber(fmt::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override { return PutNumber(text); }
  bool string(string_t& text) override {
    return Put({.kind = JsonKind::kString, .text = std::move(text)});
  }
  bool binary(binary_t&) override { return Fail("binary data"); }
  bool start_object(size_t) override { return Open(JsonKind::kObject); }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) {
      return Fail(fmt::format("an object has the name {} twice", QuoteJson(name)));
    }
    name_ = std::move(name);
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(JsonKind::kArray); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail(fmt::format("it is no JSON from byte {} on", position));
  }

  Result<JsonNode> Take() {
    if (!fault_.empty()) return InvalidArgument(fault_);
    return std::move(root_);
  }

 private:
  bool Fail(std::string fault) {
    fault_ = std::move(fault);
    return false;
  }

  bool PutNumber(std::string text) {
    return Put({.kind = JsonKind::kNumber, .text = std::move(text)});
  }

  bool Put(JsonNode node) { return Attach(std::move(node)) != nullptr; }

  JsonNode* Attach(JsonNode node) {
    if (++num_nodes_ > kJsonNodesMax) {
      Fail(fmt::format("it has more than {} values", kJsonNodesMax));
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return &root_;
    }
    JsonNode& parent = *open_.back();
    if (parent.kind == JsonKind::kArray) return &parent.items.emplace_back(std::move(node));
    return &parent.members.emplace_back(std::move(name_), std::move(node)).second;
  }

  // The last member of an open node does not move while it is open.
  bool Open(JsonKind kind) {
    if (open_.size() == kJsonNodeDepthMax) {
      return Fail(fmt::format("it is nested deeper than {} levels", kJsonNodeDepthMax));
    }
    JsonNode* node = Attach({.kind = kind});
    if (node == nullptr) return false;
    open_.push_back(node);
    names_.emplace_back();
    return true;
  }

  bool Close() {
    open_.pop_back();
    names_.pop_back();
    return true;
  }

  JsonNode root_;
  std::vector<JsonNode*> open_;
  std::vector<std::unordered_set<std::string>> names_;  // [open_]
  std::string name_;
  size_t num_nodes_ = 0;
  std::string fault_;
};

}  // namespace

const JsonNode* JsonNode::Find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const auto& member) { return member.first == name; });
  return found == members.end() ? nullptr : &found->second;
}

std::string_view DescribeKind(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBoolean:
      return "a boolean";
    case JsonKind::kNumber:
      return "a number";
    case JsonKind::kString:
      return "a string";
    case JsonKind::kArray:
      return "an array";
    case JsonKind::kObject:
      return "an object";
  }
  return "";
}

Result<JsonNode> ParseJsonDocument(std::string_view text) {
  TreeBuilder tree;
  nlohmann::json::sax_parse(text.begin(), text.end(), &tree);
  return tree.Take();
}

std::string QuoteJson(std::string_view text) {
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
  std::string quoted = "\"";
  for (const char c : text) {
    if (const size_t at = kMeanings.find(c); at != std::string_view::npos) {
      quoted += {'\\', kLetters[at]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string PointerPart(std::string_view name) {
  std::string part;
  part.reserve(name.size());
  for (const char c : name) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

}  // namespace aio
