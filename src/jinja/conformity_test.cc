// Every template and snippet in testing/, rendered here and by the jinja2 package of Python set up
// as Transformers sets it up: the same text, or both refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "jinja/jinja_template.h"
#include "jinja/json_value.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kNow = 1'700'000'000;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Where the templates are: testing/, or what AIO_JINJA_TEMPLATES names, of the same shape, for
// templates that are not the project's.
fs::path Folder() {
  const char* other = std::getenv("AIO_JINJA_TEMPLATES");  // NOLINT(concurrency-mt-unsafe)
  return other != nullptr ? fs::path(other) : fs::path(AIO_SOURCE_DIR) / "src/jinja/testing";
}

std::map<std::string, std::string> ReadTemplates(const fs::path& folder) {
  std::map<std::string, std::string> templates;
  for (const auto& entry : fs::directory_iterator(folder / "templates")) {
    if (entry.path().extension() != ".jinja") continue;
    templates[entry.path().filename()] = ReadAll(entry.path());
  }
  const std::string snippets = ReadAll(folder / "snippets.txt");
  const std::string apart = "\n----\n";
  int number = 0;
  for (size_t at = 0; !snippets.empty() && at != std::string::npos;) {
    const size_t end = snippets.find(apart, at);
    templates["snippet " + std::to_string(++number)] =
        snippets.substr(at, end == std::string::npos ? end : end - at);
    at = end == std::string::npos ? end : end + apart.size();
  }
  return templates;
}

std::string RunPython(const std::string& arguments, int& status) {
  const std::string command = "PYTHONDONTWRITEBYTECODE=1 python3 " + arguments + " 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): paths of our own
  if (pipe == nullptr) {
    status = -1;
    return "";
  }
  std::string output;
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.append(buffer, size);
  status = pclose(pipe);
  return output;
}

Result<std::string> Rendered(const std::string& source, const JinjaValue& conversation) {
  JinjaVariables variables = {{"bos_token", JinjaValue::TemplateText("<s>")},
                              {"eos_token", JinjaValue::TemplateText("</s>")},
                              {"tools", JinjaValue::None()},
                              {"documents", JinjaValue::None()}};
  for (const auto& [name, value] : conversation.dict().members) {
    variables.emplace_back(name.bytes(), value);
  }
  AIO_ASSIGN_OR_RETURN(const JinjaTemplate parsed, JinjaTemplate::Parse(source));
  AIO_ASSIGN_OR_RETURN(const MarkedText text, parsed.Render(variables, kNow));
  return text.bytes();
}

TEST(JinjaConformityTest, RendersAsJinja2Does) {
  setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  tzset();
  int status = 0;
  RunPython("-c 'import jinja2, jinja2.sandbox'", status);
  if (status != 0) {
    GTEST_SKIP() << "NOT COMPARED with Jinja itself: python3 has no jinja2 (Debian package "
                    "python3-jinja2; scripts/install-deps test installs it)";
  }
  const fs::path script = fs::path(AIO_SOURCE_DIR) / "src/jinja/testing/render_with_jinja2.py";
  const auto answers = ParseJsonValue(RunPython(script.string() + " " + Folder().string(), status));
  ASSERT_EQ(status, 0);
  ASSERT_TRUE(answers.ok());
  const auto templates = ReadTemplates(Folder());
  const auto conversations = ParseJsonValue(ReadAll(Folder() / "conversations.json"));
  ASSERT_TRUE(conversations.ok());

  size_t texts = 0;
  for (const JinjaValue& answer : answers->list().items) {
    const std::vector<JinjaValue>& fields = answer.list().items;
    const std::string& name = fields[0].bytes();
    const auto number = static_cast<size_t>(fields[1].integer());
    SCOPED_TRACE(name + ", conversation " + std::to_string(number));
    const auto source = templates.find(name);
    ASSERT_NE(source, templates.end());
    const Result<std::string> text = Rendered(source->second, conversations->list().items[number]);
    if (fields[2].is_none()) {
      EXPECT_FALSE(text.ok()) << "jinja2 raises, this does not: " << *text;
      continue;
    }
    ++texts;
    EXPECT_EQ(text.ok() ? *text : text.status().ToString(), fields[2].bytes());
  }
  std::cout << answers->list().items.size() << " renderings compared, " << texts
            << " of them texts\n";
  EXPECT_GT(texts, answers->list().items.size() / 4);
}

}  // namespace
}  // namespace aio
