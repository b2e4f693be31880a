// What hostile templates try: each of them ends in a fault, without much memory or stack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/jinja_template.h"
#include "jinja/objects.h"
#include "jinja/python_text.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define AIO_MEMORY_IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define AIO_MEMORY_IS_WATCHED 1
#endif
#endif

namespace aio {
namespace {

using testing::HasSubstr;

Result<MarkedText> Render(std::string_view source, const JinjaLimits& limits = {},
                          const JinjaVariables& variables = {}) {
  AIO_ASSIGN_OR_RETURN(const JinjaTemplate parsed, JinjaTemplate::Parse(source));
  return parsed.Render(variables, /*unix_seconds=*/0, limits);
}

std::string Text(std::string_view source, const JinjaLimits& limits = {},
                 const JinjaVariables& variables = {}) {
  const auto text = Render(source, limits, variables);
  return text.ok() ? text->bytes() : text.status().ToString();
}

std::string Repeated(std::string_view text, int times) {
  std::string repeated;
  for (; times > 0; --times) repeated += text;
  return repeated;
}

// p0, p1, ...
std::string Names(int count) {
  std::string names;
  for (int i = 0; i < count; ++i) names += (i > 0 ? ", p" : "p") + std::to_string(i);
  return names;
}

// Each turn of `body` puts something around ns.x.
std::string Chained(std::string_view body, int turns) {
  return "{% set ns = namespace(x=[]) %}{% macro hold() %}{% set ns.x = caller %}{% endmacro %}"
         "{% for i in range(" +
         std::to_string(turns) + ") %}" + std::string(body) + "{% endfor %}done";
}

TEST(JinjaStackTest, ChainsThroughObjectsAreBounded) {
  for (const char* body :
       {"{% set ns.x = [ns.x.copy] %}", "{% for k in [ns.x] %}{% set ns.x = loop %}{% endfor %}",
        "{% for k in [ns.x] %}{% set ns.x = {'a': [loop.cycle]} %}{% endfor %}"}) {
    EXPECT_THAT(Text(Chained(body, 100'000)), HasSubstr("line 1: lists, dicts and what holds them"))
        << body;
    EXPECT_EQ(Text(Chained(body, 20)), "done") << body;
  }
}

// What only the end of the run takes down is taken down one by one.
TEST(JinjaStackTest, ChainsThroughWhatCanChangeAreNot) {
  const std::string calls = "{% set y = ns.x %}{% call hold() %}{% endcall %}";
  EXPECT_EQ(Text(Chained(calls, 40'000)), "done");
  EXPECT_THAT(Text(Chained(calls, 100'000)), HasSubstr("bytes of text and lists"));
  const std::string loops =
      "{% for k in [1] %}{% set a = loop.changed(ns.x) %}{% set ns.x = loop %}{% endfor %}";
  EXPECT_EQ(Text(Chained(loops, 100'000)), "done");
}

TEST(JinjaStackTest, FiltersThatCallFiltersAreCounted) {
  EXPECT_EQ(Text("{{ ['ab'] | map('map', 'map', 'upper') | map('map', 'list') | map('list') | list "
                 "}}"),
            "[[['A'], ['B']]]");
  EXPECT_THAT(Text("{{ ['a'] | map(" + Repeated("'map', ", 1000) + "'list') | list }}"),
              HasSubstr("calls, blocks and expressions within each other"));
  // Each takes its own copy of the arguments.
  EXPECT_THAT(Text("{{ ['a'] | map(" + Repeated("'map', ", 10'000) + "'list') | list }}"),
              HasSubstr("bytes of text and lists"));
  EXPECT_THAT(Text("{{ range(100000) | select('none', " + Names(100) + ") | list }}"),
              HasSubstr("takes at most 0 arguments"));
}

TEST(JinjaStackTest, BlocksWithinEachOtherAreCounted) {
  const std::string nested = "{% macro m() %}" + Repeated("{% if true %}", 80) + "{{ m() }}" +
                             Repeated("{% endif %}", 80) + "{% endmacro %}{{ m() }}";
  EXPECT_THAT(Text(nested), HasSubstr("calls, blocks and expressions within each other"));
}

// As templates do that write out the schemas of tools.
TEST(JinjaStackTest, ARecursiveMacroGoesDeepEnough) {
  EXPECT_EQ(Text("{% macro m(n) %}{% if n > 0 %}{% for i in [1] %}{% if i is number %}"
                 "{% set below = m(n - 1) %}{{ '(' + below | trim + ')' }}{% endif %}{% endfor %}"
                 "{% else %}x{% endif %}{% endmacro %}{{ m(100) }}"),
            std::string(100, '(') + "x" + std::string(100, ')'));
}

// --- memory ----------------------------------------------------------------------------------

// How many MiB a process of its own takes to render `source`, and what comes of it.
std::pair<int64_t, std::string> RenderedApart(const std::string& source) {
  int ends[2];
  if (pipe(ends) != 0) return {0, "no pipe"};
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = Text(source).substr(0, 200);
    _exit(write(ends[1], text.data(), text.size()) < 0 ? 1 : 0);
  }
  close(ends[1]);
  std::string text(200, '\0');
  const ssize_t size = read(ends[0], text.data(), text.size());
  close(ends[0]);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  return {usage.ru_maxrss / 1024, text};
}

TEST(JinjaMemoryTest, MemoryIsPaidForBeforeItIsTaken) {
#ifdef AIO_MEMORY_IS_WATCHED
  GTEST_SKIP() << "a sanitizer takes memory of its own";
#endif
  constexpr int64_t kMostMib = 512;
  for (const std::string& source : std::vector<std::string>{
           "{{ (',' * 10000000).split(',') | length }}",
           "{{ (',' * 10000000).rsplit(',') | length }}",
           "{{ ('a ' * 10000000).split() | length }}",
           "{{ ('\\n' * 10000000).splitlines() | length }}",
           "{{ ('\\n' * 10000000) | indent(0) | length }}", "{{ ([0] * 30000000) | length }}",
           "{{ ([0] * 100000) | tojson(separators=['x' * 10000, ':']) }}",
           "{{ [' '] * 2 + ['\\x01' * 30000000] }}", "{{ [0, '\\x01' * 30000000] | tojson }}",
           "x{{ 'a' * 9223372036854775807 }}",
           "{{ ('a' * 50000000)[::-1] | length }}{{ ('a' * 50000000)[0] }}",
           "{% set x = 'a' * 1000000 %}{% set ns = namespace(l=[]) %}"
           "{% for i in range(1000) %}{% set ns.l = ns.l + [{}[x]] %}{% endfor %}",
           "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% for k in [1] %}" +
               Repeated("{% macro m() %}{% endmacro %}", 3) +
               "{% set ns.l = m %}{% endfor %}{% endfor %}"}) {
    const auto [mib, text] = RenderedApart(source);
    EXPECT_THAT(text, HasSubstr("line 1")) << source;
    EXPECT_LT(mib, kMostMib) << source;
  }
}

TEST(JinjaMemoryTest, WhatIsKeptIsPaidFor) {
  const std::string bytes = "bytes of text and lists";
  // Scopes with their macros.
  EXPECT_THAT(Text("{% for i in range(100000) %}{% macro m() %}{% endmacro %}{% endfor %}"),
              HasSubstr(bytes));
  // Names in them.
  std::string many;
  for (int i = 0; i < 100; ++i) many += "{% set a" + std::to_string(i) + " = 1 %}";
  EXPECT_THAT(Text("{% for i in range(9000) %}" + many +
                   "{% macro m() %}{% endmacro %}"
                   "{% endfor %}"),
              HasSubstr(bytes));
  // Members of namespaces, named or taken from a dict.
  std::string attributes;
  for (int i = 0; i < 100; ++i) attributes += "{% set ns.a" + std::to_string(i) + " = 1 %}";
  EXPECT_THAT(
      Text("{% for i in range(9000) %}{% set ns = namespace() %}" + attributes + "{% endfor %}"),
      HasSubstr(bytes));
  JinjaValue::Members members;
  for (int i = 0; i < 10'000; ++i) members.emplace_back(JinjaValue::Int(i), JinjaValue::Int(i));
  const JinjaVariables variables = {{"d", JinjaValue::Dict(std::move(members))}};
  EXPECT_THAT(
      Text("{% for i in range(99) %}{% set ns = namespace(d) %}{% endfor %}", {}, variables),
      HasSubstr(bytes));
}

TEST(JinjaMemoryTest, AnIndentIsBounded) {
  for (const char* indent : {"-2", "-9223372036854775807", "101", "4294967297"}) {
    EXPECT_THAT(Text("{{ [1] | tojson(indent=" + std::string(indent) + ") }}"),
                HasSubstr("line 1: tojson(): indent is -1 (one line) to 100 spaces"))
        << indent;
  }
  EXPECT_EQ(Text("{{ [1] | tojson(indent=-1) }}"), "[1]");
}

TEST(JinjaMemoryTest, ALoopThatHoldsItselfEndsWithTheRun) {
  const auto loop = std::make_shared<JinjaLoop>(std::vector<JinjaValue>(2));
  const JinjaLimits limits;
  {
    JinjaRun run(limits, /*unix_seconds=*/0);
    const JinjaValue value = JinjaValue::Object(loop);
    const JinjaValue changed = GetAttribute(run, value, "changed");
    EXPECT_TRUE(CallValue(run, changed, {{value}, {}}).IsTrue());
    EXPECT_FALSE(CallValue(run, changed, {{value}, {}}).IsTrue());
    EXPECT_GT(loop.use_count(), 3);
  }
  EXPECT_EQ(loop.use_count(), 1);
}

// --- steps -----------------------------------------------------------------------------------

JinjaVariables LongTexts() {
  std::string text(1'000'000, 'a');
  JinjaVariables variables = {{"x", JinjaValue::DataText(text)}};
  text.back() = 'b';
  variables.emplace_back("y", JinjaValue::DataText(std::move(text)));
  return variables;
}

TEST(JinjaStepsTest, WhatGoesThroughATextTakesStepsByItsLength) {
  JinjaLimits limits;
  limits.steps_max = 10'000;
  const JinjaVariables variables = LongTexts();
  for (const char* expression : {"x == y",
                                 "x != y",
                                 "x < y",
                                 "x >= y",
                                 "x in y",
                                 "x in [y, y]",
                                 "x in {}",
                                 "{}[x]",
                                 "{}.get(x)",
                                 "x is eq y",
                                 "x.startswith(y)",
                                 "x.startswith([y])",
                                 "x.endswith(y)",
                                 "x.isalpha()",
                                 "x.isdigit() or x.isalnum()",
                                 "x.islower()",
                                 "x.removeprefix(y)",
                                 "x.removesuffix(y)",
                                 "x.find(y)",
                                 "x.find('b')",
                                 "x.rfind(y)",
                                 "x.rfind('b')",
                                 "x.count(y)",
                                 "x.count('')",
                                 "x.replace('b', '')",
                                 "x.split('b')",
                                 "x.rsplit('b')",
                                 "x.split()",
                                 "x.splitlines()",
                                 "x.strip('a')",
                                 "x.strip()",
                                 "x | int",
                                 "x | float",
                                 "x | length",
                                 "[y, x] | sort",
                                 "[x, y] | max"}) {
    EXPECT_THAT(Text("{{ " + std::string(expression) + " }}", limits, variables),
                HasSubstr("line 1: rendering takes more than 10000 steps"))
        << expression;
  }
}

TEST(JinjaStepsTest, WhatGoesThroughPartsTakesStepsByTheirNumber) {
  JinjaLimits limits;
  limits.steps_max = 200;
  const auto is_refused = HasSubstr("more than 200 steps");
  EXPECT_THAT(Text("{% macro m(" + Names(250) + ") %}{% endmacro %}{{ m() }}", limits), is_refused);
  EXPECT_THAT(Text("{% set v = 1 %}" + Repeated("{% with %}", 80) + Repeated("{{ v }}", 20) +
                       Repeated("{% endwith %}", 80),
                   limits),
              is_refused);
  EXPECT_THAT(Text("{{ [1] | map(attribute='" + Repeated("0.", 300) + "0') | list }}", limits),
              HasSubstr("line 1"));
  EXPECT_THAT(Text("{{ 'a'.startswith(" + Repeated("['b'] + ", 60) + "['c']) }}", limits),
              is_refused);
}

TEST(JinjaStepsTest, AMacroHasNotTooManyParameters) {
  EXPECT_EQ(Text("{% macro m(" + Names(255) + ") %}x{% endmacro %}{{ m(p3=1) }}"), "x");
  EXPECT_THAT(Text("\n{% macro m(" + Names(256) + ") %}x{% endmacro %}{{ m() }}"),
              HasSubstr("line 2: a macro of more than 255 parameters"));
  EXPECT_THAT(Text("{% macro m(a, a) %}{% endmacro %}"), HasSubstr("two parameters are named 'a'"));
}

// Each would take for ever if it took the product of two lengths.
TEST(JinjaStepsTest, NothingTakesTheProductOfTwoLengths) {
  const std::string text = "{% set x = 'a' * 4000000 %}{% set n = 'a' * 1000000 %}";
  for (const char* expression : {"(n + 'b') in x", "x.find(n + 'b')", "x.rfind('b' + n)",
                                 "x.count(n + 'b')", "x.replace(n + 'b', '') | length",
                                 "x.split(n + 'b') | length", "x.rsplit('b' + n) | length"}) {
    EXPECT_TRUE(Render(text + "{{ " + expression + " }}").ok()) << expression;
  }
  EXPECT_EQ(Text("{% set x = 'a' * 2000000 %}{{ x.strip('b' * 2000000 + 'a') }}"), "");
  JinjaValue::Members members;
  for (int i = 0; i < 100'000; ++i) members.emplace_back(JinjaValue::Int(i), JinjaValue::Int(i));
  JinjaVariables variables = {{"d", JinjaValue::Dict(members)}};
  std::reverse(members.begin(), members.end());
  variables.emplace_back("e", JinjaValue::Dict(std::move(members)));
  EXPECT_EQ(Text("{{ d == e }}{{ d != e }}", {}, variables), "TrueFalse");
  // Names: each a look-up.
  std::string names;
  for (int i = 0; i < 50'000; ++i) names += "{% set name_" + std::to_string(i) + " = 1 %}";
  JinjaLimits limits;
  limits.steps_max = 3'000'000;
  EXPECT_THAT(Text(names + "{% for i in range(100000) %}" +
                       Repeated("{{ name_49999 }}{{ name_25000 }}", 20) + "{% endfor %}",
                   limits),
              HasSubstr("more than 3000000 steps"));
}

TEST(PythonTextTest, FindsAsStringsDo) {
  // All texts of a and b up to a length, in each other; long ones as repetitions of them.
  std::vector<std::string> texts = {""};
  for (size_t i = 0; i < 62; ++i) {
    texts.push_back(texts[i] + "a");
    texts.push_back(texts[i] + "b");
  }
  for (const int times : {1, 20}) {
    for (const std::string& each : texts) {
      for (const std::string& other : texts) {
        const std::string text = Repeated(each, 2 * times) + each;
        const std::string part = Repeated(other, times);
        ASSERT_EQ(FindPart(text, part), text.find(part)) << text << " " << part;
        ASSERT_EQ(FindPart(text, part, 2), text.find(part, 2)) << text << " " << part;
        ASSERT_EQ(RightFindPart(text, part), text.rfind(part)) << text << " " << part;
        if (part.empty()) continue;
        for (const bool from_right : {false, true}) {
          const auto parts = Split({text, false}, part, -1, from_right);
          ASSERT_EQ(parts.size(), CountParts(text, part) + 1) << text << " " << part;
        }
      }
    }
  }
}

TEST(JinjaDictTest, FindsWhatItHolds) {
  const auto number = [](double value) { return JinjaValue::Float(value); };
  JinjaValue::Members members;
  for (int i = 99; i >= 0; --i) {
    members.emplace_back(JinjaValue::Int(i), JinjaValue::Int(i));
    members.emplace_back(JinjaValue::DataText(std::to_string(i)), JinjaValue::Int(-i));
    members.emplace_back(number(i), JinjaValue::Int(i + 1));  // the same key as the int
  }
  members.emplace_back(JinjaValue::None(), JinjaValue::Int(7));
  constexpr int64_t kLarge = (int64_t{1} << 53) + 1;  // no double is that
  members.emplace_back(JinjaValue::Int(kLarge), JinjaValue::Int(8));
  members.emplace_back(number(static_cast<double>(kLarge)), JinjaValue::Int(9));
  const JinjaValue dict = JinjaValue::Dict(std::move(members));
  ASSERT_EQ(dict.dict().members.size(), 203U);
  EXPECT_EQ(dict.dict().members[0].first, JinjaValue::Int(99));  // in the order they came
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(*dict.dict().Find(JinjaValue::Int(i)), JinjaValue::Int(i + 1));
    EXPECT_EQ(*dict.Find(std::to_string(i)), JinjaValue::Int(-i));
  }
  EXPECT_EQ(*dict.dict().Find(JinjaValue::None()), JinjaValue::Int(7));
  EXPECT_EQ(*dict.dict().Find(JinjaValue::Int(kLarge)), JinjaValue::Int(8));
  EXPECT_EQ(*dict.dict().Find(JinjaValue::Int(kLarge - 1)), JinjaValue::Int(9));
  EXPECT_EQ(dict.dict().Find(JinjaValue::Int(100)), nullptr);
  EXPECT_EQ(dict.dict().Find(number(0.5)), nullptr);
  EXPECT_EQ(dict.dict().Find(JinjaValue::List({})), nullptr);
  EXPECT_EQ(dict.Find("100"), nullptr);
}

}  // namespace
}  // namespace aio
