#include "jinja/jinja_template.h"

#include "jinja/parser.h"
#include "jinja/renderer.h"

namespace aio {

struct JinjaTree {
  JinjaBlock block;
};

Result<JinjaTemplate> JinjaTemplate::Parse(std::string_view source) {
  auto tree = std::make_shared<JinjaTree>();
  AIO_ASSIGN_OR_RETURN(tree->block, ParseJinja(source));
  return JinjaTemplate(std::move(tree));
}

Result<MarkedText> JinjaTemplate::Render(const JinjaVariables& variables, int64_t unix_seconds,
                                         const JinjaLimits& limits) const {
  JinjaRun run(limits, unix_seconds);
  JinjaRenderer renderer(run, limits.output_bytes_max);
  const auto given = std::make_shared<JinjaScope>(nullptr);
  for (const auto& [name, value] : variables) given->Set(name, value);
  const auto scope = std::make_shared<JinjaScope>(given);
  MarkedText out;
  renderer.Keep(scope);
  renderer.RenderBlock(tree_->block, scope, out);
  if (run.failed()) return run.fault();
  return out;
}

}  // namespace aio
