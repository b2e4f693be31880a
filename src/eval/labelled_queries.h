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
  std::string intent;     // empty: not labelled
  std::string task = {};  // the benchmark it is of ("gsm8k"), if the line says so
  int file = 0;           // of several: which
};

// Each line is an object with "prompt" (a string) or "messages" (as in a chat request) and
// optionally "intent" and "task"; other fields and blank lines are ignored. Errors name file,
// line and field.
Result<std::vector<LabelledQuery>> ReadLabelledQueries(const std::string& path);
Result<std::vector<LabelledQuery>> ParseLabelledQueries(std::string_view text,
                                                        const std::string& source);

// A line that is not such an object.
struct UnreadableLine {
  int line = 0;
  std::string fault;
};

// The same, but lines that cannot be read are listed instead of failing; `source` of none that
// can is still kInvalidArgument.
Result<std::vector<LabelledQuery>> ParseReadableQueries(std::string_view text,
                                                        const std::string& source,
                                                        std::vector<UnreadableLine>& unreadable);

}  // namespace aio

#endif  // AIO_EVAL_LABELLED_QUERIES_H_
