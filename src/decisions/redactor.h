// Takes out of a text what must not be kept.
#ifndef AIO_DECISIONS_REDACTOR_H_
#define AIO_DECISIONS_REDACTOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

inline constexpr std::string_view kRedacted = "[redacted]";

// Immutable, hence thread-safe.
class Redactor {
 public:
  // Regular expressions (PCRE2, Unicode). Errors name the pattern by its number, and where in it
  // the fault is; one that matches the empty text is a fault, for it would match everywhere.
  static Result<Redactor> Create(const std::vector<std::string>& patterns);
  // Takes nothing out.
  Redactor();

  // `text` with every match of every pattern replaced by kRedacted, in their order. Where one
  // gives up on a text (it would take too long), all of the text is replaced: better nothing kept
  // than something that should not be.
  std::string Redact(std::string text) const;

 private:
  struct Patterns;
  std::shared_ptr<const Patterns> patterns_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_REDACTOR_H_
