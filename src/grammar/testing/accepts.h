// What tests of the layer ask of a grammar.
#ifndef AIO_GRAMMAR_TESTING_ACCEPTS_H_
#define AIO_GRAMMAR_TESTING_ACCEPTS_H_

#include <memory>
#include <string_view>

#include "grammar/grammar.h"
#include "grammar/text_grammar.h"

namespace aio {

// The whole of `text`, byte by byte.
bool Accepts(const std::shared_ptr<const Grammar>& grammar, std::string_view text);
// Stops the test where `source` does not compile.
std::shared_ptr<const Grammar> MustCompile(GrammarSource source, std::string_view text);

}  // namespace aio

#endif  // AIO_GRAMMAR_TESTING_ACCEPTS_H_
