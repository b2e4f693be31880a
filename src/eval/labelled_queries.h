// JSON-lines files of queries, optionally with the intent that is right for each.
#ifndef AIO_EVAL_LABELLED_QUERIES_H_
#define AIO_EVAL_LABELLED_QUERIES_H_

#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/status.h"

namespace aio {

struct LabelledQuery {
  int line = 0;  // in the file, from 1
  std::vector<ChatMessage> messages;
  std::string intent;  // empty: not labelled
};

// Each line is an object with "prompt" (a string) or "messages" (as in a chat request) and
// optionally "intent"; other fields and blank lines are ignored. Errors name file, line
// and field.
Result<std::vector<LabelledQuery>> ReadLabelledQueries(const std::string& path);
Result<std::vector<LabelledQuery>> ParseLabelledQueries(std::string_view text,
                                                        const std::string& source);

}  // namespace aio

#endif  // AIO_EVAL_LABELLED_QUERIES_H_
