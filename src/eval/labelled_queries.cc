#include "eval/labelled_queries.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace aio {

namespace {

using Json = nlohmann::json;

Result<std::string> GetString(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) {
    return InvalidArgument(fmt::format("field '{}' must be a string", key));
  }
  return it->get<std::string>();
}

Result<std::vector<ChatMessage>> ParseMessages(const Json& messages) {
  if (!messages.is_array() || messages.empty()) {
    return InvalidArgument("field 'messages' must be an array with at least one message");
  }
  std::vector<ChatMessage> out;
  for (const Json& message : messages) {
    if (!message.is_object()) return InvalidArgument("field 'messages' must hold objects");
    AIO_ASSIGN_OR_RETURN(std::string role, GetString(message, "role"));
    AIO_ASSIGN_OR_RETURN(std::string content, GetString(message, "content"));
    out.push_back({std::move(role), std::move(content)});
  }
  return out;
}

Result<LabelledQuery> ParseLine(std::string_view line) {
  const Json object = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return InvalidArgument("not a JSON object");
  LabelledQuery query;
  if (object.contains("messages")) {
    AIO_ASSIGN_OR_RETURN(query.messages, ParseMessages(object["messages"]));
  } else {
    AIO_ASSIGN_OR_RETURN(std::string prompt, GetString(object, "prompt"));
    query.messages.push_back({"user", std::move(prompt)});
  }
  if (object.contains("intent")) {
    AIO_ASSIGN_OR_RETURN(query.intent, GetString(object, "intent"));
  }
  if (object.contains("task")) {
    AIO_ASSIGN_OR_RETURN(query.task, GetString(object, "task"));
  }
  return query;
}

}  // namespace

Result<std::vector<LabelledQuery>> ReadLabelledQueries(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return NotFound(path + ": cannot be opened");
  std::ostringstream text;
  // What reading throws, as for a directory, becomes a flag here; so does an empty file.
  if (!(text << in.rdbuf())) {
    return InvalidArgument(path + ": is empty or cannot be read; is it a file of JSON lines?");
  }
  return ParseLabelledQueries(text.str(), path);
}

Result<std::vector<LabelledQuery>> ParseReadableQueries(std::string_view text,
                                                        const std::string& source,
                                                        std::vector<UnreadableLine>& unreadable) {
  std::vector<LabelledQuery> queries;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<LabelledQuery> query = ParseLine(line);
    if (!query.ok()) {
      unreadable.push_back({number, query.status().message()});
      continue;
    }
    query->line = number;
    queries.push_back(*std::move(query));
  }
  if (queries.empty() && unreadable.empty()) return InvalidArgument(source + ": holds no query");
  if (queries.empty()) {
    return InvalidArgument(
        fmt::format("{}: line {}: {}", source, unreadable.front().line, unreadable.front().fault));
  }
  return queries;
}

Result<std::vector<LabelledQuery>> ParseLabelledQueries(std::string_view text,
                                                        const std::string& source) {
  std::vector<UnreadableLine> unreadable;
  AIO_ASSIGN_OR_RETURN(std::vector<LabelledQuery> queries,
                       ParseReadableQueries(text, source, unreadable));
  if (unreadable.empty()) return queries;
  return InvalidArgument(
      fmt::format("{}: line {}: {}", source, unreadable.front().line, unreadable.front().fault));
}

}  // namespace aio
