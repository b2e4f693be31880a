// A subset of the template language Jinja: what chat templates of language models are written in.
//
// Renders as Hugging Face Transformers does: trim_blocks and lstrip_blocks on, an immutable
// sandbox, break and continue, {% generation %}, tojson without HTML escapes, raise_exception and
// strftime_now. docs/chat-templates.md lists what is in the subset; what is not is refused when a
// template is parsed, by name. Nothing a template does can take long or much memory: see
// JinjaLimits.
#ifndef AIO_JINJA_JINJA_TEMPLATE_H_
#define AIO_JINJA_JINJA_TEMPLATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "jinja/marked_text.h"
#include "jinja/value.h"

namespace aio {

struct JinjaLimits {
  // Expressions and statements evaluated; what goes through a text or parts takes more by length.
  int64_t steps_max = 10'000'000;
  int64_t bytes_max = int64_t{64} << 20;  // of all texts and lists made, whether kept or not
  int64_t output_bytes_max = int64_t{16} << 20;
  int depth_max = 800;  // macros, blocks, functions and expressions within each other
};

// Names and values; of equal names the last counts.
using JinjaVariables = std::vector<std::pair<std::string, JinjaValue>>;

struct JinjaTree;

// Immutable, cheap to copy, thread-safe.
class JinjaTemplate {
 public:
  // kInvalidArgument for what is no template, kUnimplemented for what is outside of the subset;
  // both name the line.
  static Result<JinjaTemplate> Parse(std::string_view source);

  // What the template makes of `variables`, each byte marked by where it came from: the template,
  // or a value marked as data. `unix_seconds` is now, for strftime_now, which tells local time.
  // kInvalidArgument, with the line, when the template raises an exception (the message is its
  // own), does what Python would not, or exceeds a limit.
  Result<MarkedText> Render(const JinjaVariables& variables, int64_t unix_seconds,
                            const JinjaLimits& limits = {}) const;

 private:
  explicit JinjaTemplate(std::shared_ptr<const JinjaTree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const JinjaTree> tree_;
};

}  // namespace aio

#endif  // AIO_JINJA_JINJA_TEMPLATE_H_
