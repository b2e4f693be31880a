// The parts of JSON texts that schemas share, as rules. Internal to grammar/.
#ifndef AIO_GRAMMAR_JSON_TEXT_H_
#define AIO_GRAMMAR_JSON_TEXT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grammar/grammar_builder.h"
#include "grammar/json_document.h"

namespace aio {

// Whitespace is bounded, or a model might write it for ever: after { [ , and before } ] nothing,
// one space, or a new line with at most 20 spaces and tabs; after : nothing or a space. Numbers
// are such that an int64 or a double holds them: at most 18 digits before the point and after it,
// exponents of at most two digits.
class JsonText {
 public:
  static constexpr int kDigitsMax = 18;

  explicit JsonText(GrammarBuilder& builder) : builder_(builder) {}

  ExprId Space();  // as after a comma
  ExprId Value();  // any
  ExprId AnyObject();
  ExprId AnyArray();
  ExprId Integer();
  ExprId Number();
  ExprId Boolean();
  ExprId Null();

  // A character of a string in any way of writing it, and a string of min..max such. Lone
  // surrogates, which are no text, are left out.
  ExprId StringChar();
  ExprId String(int min = 0, int max = kUnbounded);
  // A string other than all of `names`.
  ExprId StringBut(const std::vector<std::string>& names);

  // { and }, with members of `items` and then others of `tail`: GrammarBuilder::List().
  ExprId Object(const std::vector<GrammarBuilder::ListItem>& items, ExprId tail);
  // A member of an object: `name` is the whole string with its quotation marks.
  ExprId Member(ExprId name, ExprId value);
  // `prefix`, of which the first so many as `min` says must be there, then `item`s; min..max in
  // all.
  struct ArrayShape {
    std::vector<ExprId> prefix;
    ExprId item;
    int min = 0;
    int max = kUnbounded;
  };
  ExprId Array(const ArrayShape& shape);
  // This very value, spaced as any.
  ExprId Literal(const JsonNode& value);

 private:
  // What is the same wherever it occurs is one rule.
  template <typename Make>
  ExprId Shared(const std::string& key, Make make);
  ExprId Separator();
  ExprId NamesApart(const std::vector<std::u32string>& names, size_t depth);

  GrammarBuilder& builder_;
  std::map<std::string, ExprId> shared_;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_JSON_TEXT_H_
