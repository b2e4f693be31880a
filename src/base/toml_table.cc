#include "base/toml_table.h"

#include <fmt/format.h>
// The parser comes from the shared library (the CMake target says so), not from this header:
// compiled in here with assertions it would stop the program on some malformed texts.
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "base/file_descriptor.h"
#include "base/utf8.h"

namespace aio {
namespace {

constexpr size_t kTextBytesMax = size_t{1} << 20;

// What stands there, in a few words, for a message.
std::string Describe(const toml::node& node) {
  constexpr size_t kShownMax = 40;
  if (auto text = node.value_exact<std::string>()) {
    if (text->size() <= kShownMax) return fmt::format("\"{}\"", *text);
    const std::string_view shown = std::string_view(*text).substr(0, kShownMax);
    return fmt::format("\"{}...\"", shown.substr(0, CompleteUtf8Prefix(shown)));
  }
  if (auto number = node.value_exact<int64_t>()) return fmt::format("{}", *number);
  if (auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  if (auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  return "a date or time";
}

std::optional<double> NumberWithin(const toml::node& node, double min, double max) {
  if (!node.is_number()) return std::nullopt;
  const std::optional<double> number = node.value<double>();
  if (!number || !(*number >= min && *number <= max)) return std::nullopt;  // so that nan fails
  return number;
}

}  // namespace

struct TomlTable::Node {
  const toml::table* table;
  std::string path;                          // "rule[0]"; empty for the root
  std::set<std::string, std::less<>> known;  // keys asked for

  std::string PathOf(std::string_view key) const {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  }
};

struct TomlTable::Document {
  toml::table root;
  std::string source;
  std::vector<std::unique_ptr<Node>> nodes;
  Status fault;
  std::vector<TomlKey>* asked = nullptr;  // what Record() got

  Status At(const toml::node& where, std::string_view path, std::string_view message) const {
    const uint32_t line = std::max<uint32_t>(1, where.source().begin.line);
    return InvalidArgument(fmt::format("{}:{}: {}: {}", source, line, path, message));
  }
};

TomlTable::TomlTable(std::shared_ptr<Document> document, Node* node)
    : document_(std::move(document)), node_(node) {}

Result<TomlTable> TomlTable::Parse(std::string_view text, const std::string& source) {
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(
        fmt::format("{}: {} bytes; at most {} are read", source, text.size(), kTextBytesMax));
  }
  auto document = std::make_shared<Document>();
  document->source = source;
  try {
    document->root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return InvalidArgument(fmt::format("{}:{}: not valid TOML: {}", source,
                                       error.source().begin.line,
                                       ReplaceInvalidUtf8(error.description())));
  }
  const toml::table* root = &document->root;
  return TomlTable(std::move(document), nullptr).Open(root, "");
}

TomlTable TomlTable::Open(const void* table, std::string path) const {
  document_->nodes.push_back(std::make_unique<Node>(
      Node{static_cast<const toml::table*>(table), std::move(path), /*known=*/{}}));
  return TomlTable(document_, document_->nodes.back().get());
}

void TomlTable::Record(std::vector<TomlKey>& keys) { document_->asked = &keys; }

void TomlTable::Asked(std::string_view key, std::string_view type) {
  node_->known.emplace(key);
  if (document_->asked == nullptr) return;
  document_->asked->push_back({node_->PathOf(key), std::string(type)});
}

bool TomlTable::Has(std::string_view key) const { return node_->table->contains(key); }

void TomlTable::Require(std::string_view key) {
  if (!Has(key)) Fail(key, "is missing");
}

void TomlTable::Fail(std::string_view key, std::string_view message) {
  if (!document_->fault.ok()) return;
  const toml::node* value = node_->table->get(key);
  const toml::node& where = value != nullptr ? *value : *node_->table;
  document_->fault = document_->At(where, node_->PathOf(key), message);
}

std::optional<std::string> TomlTable::String(std::string_view key) {
  Asked(key, "string");
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  auto text = value->value_exact<std::string>();
  if (!text) Fail(key, fmt::format("must be a string in quotes, is {}", Describe(*value)));
  return text;
}

std::optional<bool> TomlTable::Bool(std::string_view key) {
  Asked(key, "true or false");
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  auto boolean = value->value_exact<bool>();
  if (!boolean) Fail(key, fmt::format("must be true or false, is {}", Describe(*value)));
  return boolean;
}

std::optional<int> TomlTable::Int(std::string_view key, int min, int max) {
  Asked(key, fmt::format("integer, {} to {}", min, max));
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->value_exact<int64_t>();
  if (!number || *number < min || *number > max) {
    Fail(key,
         fmt::format("must be a whole number from {} to {}, is {}", min, max, Describe(*value)));
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

std::optional<double> TomlTable::Number(std::string_view key, double min, double max) {
  Asked(key, fmt::format("number, {} to {}", min, max));
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = NumberWithin(*value, min, max);
  if (!number) {
    Fail(key, fmt::format("must be a number from {} to {}, is {}", min, max, Describe(*value)));
  }
  return number;
}

std::optional<std::vector<std::string>> TomlTable::Strings(std::string_view key) {
  Asked(key, "array of strings");
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  const toml::array* array = value->as_array();
  if (array == nullptr) {
    Fail(key, fmt::format("must be an array of strings, is {}", Describe(*value)));
    return std::nullopt;
  }
  std::vector<std::string> strings;
  for (const toml::node& element : *array) {
    auto text = element.value_exact<std::string>();
    if (!text) {
      Fail(key, fmt::format("must hold strings only, has {}", Describe(element)));
      return std::nullopt;
    }
    strings.push_back(std::move(*text));
  }
  return strings;
}

std::optional<std::vector<double>> TomlTable::Numbers(std::string_view key, double min,
                                                      double max) {
  Asked(key, fmt::format("array of numbers, {} to {}", min, max));
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  const toml::array* array = value->as_array();
  if (array == nullptr) {
    Fail(key, fmt::format("must be an array of numbers, is {}", Describe(*value)));
    return std::nullopt;
  }
  std::vector<double> numbers;
  for (const toml::node& element : *array) {
    const std::optional<double> number = NumberWithin(element, min, max);
    if (!number) {
      Fail(key, fmt::format("must hold numbers from {} to {} only, has {}", min, max,
                            Describe(element)));
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<std::vector<std::pair<std::string, double>>> TomlTable::NamedNumbers(
    std::string_view key, double min, double max) {
  std::optional<TomlTable> table = Table(key);
  if (!table) return std::nullopt;
  std::vector<std::pair<std::string, double>> numbers;
  for (const auto& [name, value] : *table->node_->table) {
    const std::optional<double> number = table->Number(name.str(), min, max);
    if (!number) return std::nullopt;
    numbers.emplace_back(name.str(), *number);
  }
  return numbers;
}

std::optional<TomlTable> TomlTable::Table(std::string_view key) {
  Asked(key, "table");
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_table()) {
    Fail(key, fmt::format("must be a table, [{}], is {}", node_->PathOf(key), Describe(*value)));
    return std::nullopt;
  }
  return Open(value->as_table(), node_->PathOf(key));
}

std::vector<TomlTable> TomlTable::Tables(std::string_view key) {
  Asked(key, "array of tables");
  std::vector<TomlTable> tables;
  const toml::node* value = node_->table->get(key);
  if (value == nullptr) return tables;
  const toml::array* array = value->as_array();
  if (array == nullptr || !(array->empty() || array->is_homogeneous<toml::table>())) {
    Fail(key, fmt::format("must be an array of tables, [[{}]] or {} = [{{ }}, ...], is {}",
                          node_->PathOf(key), key,
                          array == nullptr ? Describe(*value) : "an array of other things"));
    return tables;
  }
  for (size_t i = 0; i < array->size(); ++i) {
    tables.push_back(Open(array->get(i)->as_table(), fmt::format("{}[{}]", node_->PathOf(key), i)));
  }
  return tables;
}

Status TomlTable::Finish() const {
  if (!document_->fault.ok()) return document_->fault;
  for (const auto& node : document_->nodes) {
    for (const auto& [key, value] : *node->table) {
      if (node->known.contains(key.str())) continue;
      std::string names;
      for (const std::string& name : node->known) names += (names.empty() ? "" : ", ") + name;
      return document_->At(value, node->PathOf(key.str()),
                           "unknown key; the keys here are: " + names);
    }
  }
  return Status::Ok();
}

Result<std::string> ReadSmallFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && errno != 0 && errno != ENOENT) return SystemError("open", errno).WithContext(path);
  if (!file) return NotFound(fmt::format("{}: cannot be opened; does the file exist?", path));
  std::string text(kTextBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    return InvalidArgument(fmt::format("{}: cannot be read; is it a file?", path));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(fmt::format("{}: larger than {} bytes", path, kTextBytesMax));
  }
  return text;
}

}  // namespace aio
