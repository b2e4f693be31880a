// A template as its parser reads it. Internal to jinja/.
#ifndef AIO_JINJA_SYNTAX_TREE_H_
#define AIO_JINJA_SYNTAX_TREE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace aio {

struct JinjaExpr;
using JinjaExprPtr = std::unique_ptr<const JinjaExpr>;

enum class JinjaExprKind {
  kConstant,     // value
  kName,         // name
  kList,         // children: items
  kTuple,        // likewise
  kDict,         // children: key, value, key, value, ...
  kAttribute,    // children: object; name
  kItem,         // children: object, index
  kSlice,        // children: object, start, stop, step (each may be null)
  kCall,         // children: function, arguments...; named
  kFilter,       // name; children: input (null: what a filter block holds), arguments...; named
  kTest,         // likewise; input is never null
  kNot,          // children: operand
  kNegative,     // likewise
  kPositive,     // likewise
  kAnd,          // children: left, right
  kOr,           // likewise
  kArithmetic,   // name: + - * / // % **; children: left, right
  kConcat,       // children: operands of ~
  kCompare,      // children: first, others...; operators: == != < <= > >= in, not in
  kConditional,  // children: condition, then, else (may be null)
};

struct JinjaExpr {
  JinjaExprKind kind;
  int line;
  std::string name = {};
  JinjaValue value = {};
  std::vector<JinjaExprPtr> children = {};
  std::vector<std::pair<std::string, JinjaExprPtr>> named = {};
  std::vector<std::string> operators = {};
  int depth = 1;  // levels of this tree
};

struct JinjaStatement;
using JinjaBlock = std::vector<std::unique_ptr<const JinjaStatement>>;

// Where a value goes.
struct JinjaTarget {
  std::vector<std::string> names;  // several: the value is taken apart
  bool is_tuple = false;
  std::string attribute = {};  // not empty: that of the namespace names[0]
};

struct JinjaParameter {
  std::string name;
  JinjaExprPtr default_value;  // may be null
};

enum class JinjaStatementKind {
  kData,      // text
  kOutput,    // expr
  kIf,        // branches
  kFor,       // target, expr (what is looped over), condition (may be null), body, otherwise
  kBreak,     //
  kContinue,  //
  kSet,       // target, expr
  kSetBlock,  // target, expr (a filter, or null), body
  kMacro,     // text: its name; parameters; body
  kCall,      // expr (a call), parameters, body: the caller
  kFilter,    // expr (a filter whose innermost input is null), body
  kWith,      // assignments, body
  kScope,     // body: {% generation %}
};

struct JinjaStatement {
  JinjaStatementKind kind;
  int line;
  std::string text = {};
  JinjaExprPtr expr = {};
  JinjaExprPtr condition = {};
  JinjaTarget target = {};
  JinjaBlock body = {};
  JinjaBlock otherwise = {};
  // The condition of the last may be null: else.
  std::vector<std::pair<JinjaExprPtr, JinjaBlock>> branches = {};
  std::vector<JinjaParameter> parameters = {};
  std::vector<std::pair<std::string, JinjaExprPtr>> assignments = {};
};

}  // namespace aio

#endif  // AIO_JINJA_SYNTAX_TREE_H_
