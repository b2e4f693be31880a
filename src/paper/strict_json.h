// Strict reading of JSON objects. Internal to paper/: it includes the JSON library.
//
//   FirstFault fault("tables.json");
//   StrictObject root(json, "", fault);
//   tables.tokens = root.Int("tokens", 1, 1000);
//   root.Finish();
//   if (!fault.ok()) return fault.status();
//
// Readers give a zero of their type where the value will not do; the first fault is remembered.
#ifndef AIO_PAPER_STRICT_JSON_H_
#define AIO_PAPER_STRICT_JSON_H_

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

using StrictJson = nlohmann::ordered_json;

// The first fault of a document.
class FirstFault {
 public:
  explicit FirstFault(std::string source) : source_(std::move(source)) {}

  // "tables.json: 'overhead.total_ms': <message>"
  void Set(const std::string& path, std::string_view message);
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

 private:
  std::string source_;
  Status status_;
};

// Not kept longer than the document and the fault it is given.
class StrictObject {
 public:
  // `path` of the object in the document, "" for the root.
  StrictObject(const StrictJson& json, std::string path, FirstFault& fault);

  bool Has(const std::string& key) const;
  std::string PathOf(std::string_view key) const;

  // Absence is a fault, but for those called Optional.
  std::string Text(const std::string& key);
  double Number(const std::string& key, double low, double high);
  std::optional<double> OptionalNumber(const std::string& key, double low, double high);
  int Int(const std::string& key, int low, int high);
  std::vector<std::string> Texts(const std::string& key);
  StrictObject Object(const std::string& key);
  // The members of the object `key`, whose names are the file's own, in its order.
  void ForEach(const std::string& key,
               const std::function<void(const std::string& name, const StrictJson& value,
                                        const std::string& path)>& read);
  const StrictJson& Member(const std::string& key);  // null if absent

  // Members that nobody asked for are faults.
  void Finish();

 private:
  const StrictJson& json_;
  std::string path_;
  FirstFault& fault_;
  std::set<std::string, std::less<>> known_;
};

// The document's root. Faults say at which byte of `source` the text is no JSON.
Result<StrictJson> ParseStrictJson(std::string_view text, const std::string& source);

// A number from `low` to `high`; where `json` is none, a fault at `path` and 0.
double StrictNumber(const StrictJson& json, const std::string& path, double low, double high,
                    FirstFault& fault);

// As an item of a list of `size` items; a fault where `json` is no such list.
bool IsStrictList(const StrictJson& json, const std::string& path, std::optional<size_t> size,
                  FirstFault& fault);

}  // namespace aio

#endif  // AIO_PAPER_STRICT_JSON_H_
