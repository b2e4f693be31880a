// Strict reading of a TOML text, without the TOML library in this header.
//
// Each reader returns an absent value when the key is absent, and also when it is wrong;
// the first fault is remembered and comes out of Finish(), together with the keys that
// nobody asked for. So code that reads a format is a straight list of its keys:
//
//   AIO_ASSIGN_OR_RETURN(TomlTable table, TomlTable::Parse(text, source));
//   table.Require("name");
//   settings.name = table.String("name").value_or("");
//   settings.limit = table.Int("limit", 1, 100).value_or(10);
//   AIO_RETURN_IF_ERROR(table.Finish());
#ifndef AIO_BASE_TOML_TABLE_H_
#define AIO_BASE_TOML_TABLE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aio {

// A key that a reader asked for, for pages about the format.
struct TomlKey {
  std::string path;  // "server.port", "labels[0].name"
  std::string type;  // "integer, 0 to 65535"
};

// A handle on one table of a document, which it keeps alive. Not thread-safe.
class TomlTable {
 public:
  // The document's root table. `source` (a file's name) begins every message, with the
  // line, and the key where there is one.
  static Result<TomlTable> Parse(std::string_view text, const std::string& source);

  // From now on, all keys that are asked for in the document are appended to `keys`, which outlives
  // it.
  void Record(std::vector<TomlKey>& keys);

  bool Has(std::string_view key) const;
  // Fails if `key` is absent.
  void Require(std::string_view key);

  std::optional<std::string> String(std::string_view key);
  std::optional<bool> Bool(std::string_view key);
  std::optional<int> Int(std::string_view key, int min, int max);
  // Integers are numbers too; nan and inf are not.
  std::optional<double> Number(std::string_view key, double min, double max);
  std::optional<std::vector<std::string>> Strings(std::string_view key);
  std::optional<std::vector<double>> Numbers(std::string_view key, double min, double max);
  // key = { name = number, ... } with names of the file's own choice, in alphabetical order.
  std::optional<std::vector<std::pair<std::string, double>>> NamedNumbers(std::string_view key,
                                                                          double min, double max);
  std::optional<TomlTable> Table(std::string_view key);  // [key]
  std::vector<TomlTable> Tables(std::string_view key);   // [[key]], or key = [{ }, { }]

  // Reports that the value of `key` will not do. `message` says what is wrong and how to
  // mend it. Only the first fault of a document is kept.
  void Fail(std::string_view key, std::string_view message);

  // The document's first fault; without one, the first key that no reader asked for, in
  // this table or any other that was opened.
  Status Finish() const;

 private:
  struct Node;
  struct Document;
  TomlTable(std::shared_ptr<Document> document, Node* node);
  void Asked(std::string_view key, std::string_view type);
  TomlTable Open(const void* table, std::string path) const;

  std::shared_ptr<Document> document_;
  Node* node_;  // in *document_
};

// The text of the file `path`, for formats of a few kilobytes: over 1 MiB is a fault.
Result<std::string> ReadSmallFile(const std::string& path);

}  // namespace aio

#endif  // AIO_BASE_TOML_TABLE_H_
