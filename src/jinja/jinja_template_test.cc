#include "jinja/jinja_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "jinja/json_value.h"

namespace aio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

JinjaVariables Variables(std::string_view json) {
  JinjaVariables variables;
  const Result<JinjaValue> values = ParseJsonValue(json);
  for (const auto& [name, value] : values->dict().members) {
    variables.emplace_back(name.bytes(), value);
  }
  return variables;
}

Result<MarkedText> Render(std::string_view source, std::string_view json = "{}",
                          const JinjaLimits& limits = {}) {
  AIO_ASSIGN_OR_RETURN(const JinjaTemplate parsed, JinjaTemplate::Parse(source));
  return parsed.Render(Variables(json), /*unix_seconds=*/0, limits);
}

std::string Text(std::string_view source, std::string_view json = "{}") {
  const auto text = Render(source, json);
  return text.ok() ? text->bytes() : text.status().ToString();
}

// The template's own text in angle brackets.
std::string Marked(std::string_view source, std::string_view json) {
  const auto text = Render(source, json);
  if (!text.ok()) return text.status().ToString();
  std::string marked;
  for (const MarkedText::Run& run : text->Runs()) {
    marked += run.is_data ? std::string(run.bytes) : "<" + std::string(run.bytes) + ">";
  }
  return marked;
}

// --- where text comes from -------------------------------------------------------------------

TEST(JinjaMarksTest, DataStaysDataWhateverIsDoneToIt) {
  constexpr char kX[] = R"({"x": " Ab,cd ", "l": ["a", "b"], "d": {"k": "v"}, "n": 5})";
  EXPECT_EQ(Marked("[{{ x }}]", kX), "<[> Ab,cd <]>");
  EXPECT_EQ(Marked("{{ '[' + x + ']' }}", kX), "<[> Ab,cd <]>");
  EXPECT_EQ(Marked("{{ '[' ~ x ~ ']' }}", kX), "<[> Ab,cd <]>");
  EXPECT_EQ(Marked("{{ x | trim }}{{ x.strip() }}{{ x | upper }}", kX), "Ab,cdAb,cd AB,CD ");
  EXPECT_EQ(Marked("{{ x[1:3] }}{{ x[::-1] }}{{ x | reverse }}{{ x[1] }}", kX),
            "Ab dc,bA  dc,bA A");
  EXPECT_EQ(Marked("{{ x.split(',') | join('+') }}", kX), " Ab<+>cd ");
  EXPECT_EQ(Marked("{{ x | replace(',', ';') }}", kX), " Ab<;>cd ");
  EXPECT_EQ(Marked("{{ 'a,b' | replace(',', x) }}", kX), "<a> Ab,cd <b>");
  EXPECT_EQ(Marked("{{ x | capitalize }}{{ x | title }}{{ x | lower }}", kX),
            " ab,cd  Ab,cd  ab,cd ");
  EXPECT_EQ(Marked("{{ x | indent(1, true) }}", kX), "< > Ab,cd ");
  EXPECT_EQ(Marked("{{ x * 2 }}", kX), " Ab,cd  Ab,cd ");
  EXPECT_EQ(Marked("{% for c in x[1:3] %}({{ c }}){% endfor %}", kX), "<(>A<)(>b<)>");
  EXPECT_EQ(Marked("{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", kX), "k<=>v");
  EXPECT_EQ(Marked("{{ l | map('upper') | join }}{{ l | first }}{{ l | last }}", kX), "ABab");
  EXPECT_EQ(Marked("{% set y %}[{{ x }}]{% endset %}{{ y }}", kX), "<[> Ab,cd <]>");
  EXPECT_EQ(Marked("{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m(x) }}", kX), "<[> Ab,cd <]>");
  EXPECT_EQ(Marked("{% filter upper %}a{{ x }}{% endfilter %}", kX), "<A> AB,CD ");
  EXPECT_EQ(Marked("{% set ns = namespace(s='') %}{% set ns.s = ns.s + x + '!' %}{{ ns.s }}", kX),
            " Ab,cd <!>");
}

TEST(JinjaMarksTest, WhatIsWrittenOfListsAndDictsIsData) {
  constexpr char kX[] = R"({"d": {"<|end|>": ["<|end|>", 1, true, null]}})";
  EXPECT_EQ(Marked("T{{ d | tojson }}", kX), R"(<T>{"<|end|>": ["<|end|>", 1, true, null]})");
  EXPECT_THAT(Marked("T{{ d }}", kX), HasSubstr("<T>{'<|end|>': ['<|end|>', "));
  EXPECT_THAT(Marked("{{ d | string }}", kX), testing::StartsWith("{'<|end|>': ['<|end|>', "));
  // No mark of the template's is put together out of a client's parts.
  EXPECT_EQ(Marked("{{ ['<|', x, '|>'] | join }}", R"({"x": "end"})"), "<<|>end<|>>");
}

// --- faults ----------------------------------------------------------------------------------

TEST(JinjaFaultTest, FaultsNameTheLine) {
  EXPECT_EQ(Text("a\n{{ 1 + }}"),
            "invalid_argument: line 2: '}}' stands where a value is expected");
  EXPECT_THAT(Text("{% if x %}\n\n"), HasSubstr("line 2: the end of the template stands where"));
  EXPECT_THAT(Text("\n\n{{ 'abc }}"), HasSubstr("line 3: a string does not end"));
  EXPECT_THAT(Text("{# no end"), HasSubstr("line 1: a comment"));
  EXPECT_THAT(Text("{{ a ]"), HasSubstr("']' closes nothing"));
  EXPECT_THAT(Text("\xFF"), HasSubstr("byte 0 is no UTF-8"));
  EXPECT_EQ(Text("a\nb\n{{ raise_exception('Use it ' + x) }}", R"({"x": "well"})"),
            "invalid_argument: line 3: Use it well");
  EXPECT_EQ(Text("\n{{ y.z }}"), "invalid_argument: line 2: 'y' is undefined");
}

TEST(JinjaFaultTest, WhatIsNotSupportedIsNamed) {
  const auto status = [](std::string_view source) { return JinjaTemplate::Parse(source).status(); };
  for (const auto& [source, name] : std::vector<std::pair<std::string, std::string>>{
           {"{{ x | urlize }}", "the filter \"urlize\""},
           {"{{ x is escaped }}", "the test \"escaped\""},
           {"{% include 'x' %}", "{% include %}"},
           {"{% for a in b recursive %}{% endfor %}", "a recursive loop"},
           {"{{ f(*a) }}", "taking arguments out of"}}) {
    EXPECT_EQ(status(source).code(), StatusCode::kUnimplemented) << source;
    EXPECT_THAT(status(source).message(), AllOf(HasSubstr(name), HasSubstr("line 1")));
  }
  EXPECT_EQ(status("{% break %}").code(), StatusCode::kInvalidArgument);
}

// --- limits ----------------------------------------------------------------------------------

// Each would take for ever, or all memory, or the whole stack.
TEST(JinjaLimitsTest, HostileTemplatesEnd) {
  std::string many_brackets(100'000, '(');
  std::string many_terms = "1";
  for (int i = 0; i < 50'000; ++i) many_terms += "+1";
  std::string many_tags;
  for (int i = 0; i < 10'000; ++i) many_tags += "{% if a %}";
  const std::string loops =
      "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}"
      "{% endfor %}{% endfor %}{% endfor %}";
  const std::vector<std::string> hostile = {
      loops,
      "{{ 'a' * 10 ** 15 }}",
      "{{ [0] * 10 ** 12 }}",
      "{% set ns = namespace(s='aaaa') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}"
      "{% endfor %}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
      "{% endfor %}{{ ns.l }}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
      "{% endfor %}{{ ns.l == [ns.l[0], ns.l[0]] }}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(80) %}{% set ns.l = [ns.l, ns.l] %}"
      "{% endfor %}{{ ns.l | tojson }}",
      "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = [ns.l] %}{% endfor "
      "%}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
      "{{ 'aaaaaaaaaaaaaaaa' | replace('', 'bbbbbbbbbbbbbbbb' * 1000000) }}",
      "{{ 2 ** 99999999 }}{{ 1 ** 99999999999 }}",
      "{{ [1] | tojson(indent=99999999) }}",
      "{{ 'a' | indent(99999999) }}",
      "{{ range(0, 9223372036854775807) }}",
      "{% for i in range(100000) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' * 100 }}"
      "{% endfor %}",
      "{{ " + many_brackets,
      "{{ " + many_terms + " }}",
      many_tags,
      "{{ [" + std::string(50'000, '[') + " }}",
      "{{ a" + std::string(100'000, '.') + " }}",
  };
  for (const std::string& source : hostile) {
    const auto text = Render(source);
    ASSERT_FALSE(text.ok()) << source.substr(0, 80);
    EXPECT_THAT(text.status().message(), HasSubstr("line 1")) << source.substr(0, 80);
  }
}

TEST(JinjaLimitsTest, ANamespaceMayHoldItself) {
  EXPECT_EQ(Text("{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns.me == [ns] }}"), "True");
  // A chain of a hundred thousand is taken down without recursion.
  EXPECT_EQ(Text("{% set ns = namespace(last=none) %}{% for i in range(50000) %}"
                 "{% set ns.last = namespace(last=ns.last) %}{% endfor %}done"),
            "done");
}

TEST(JinjaLimitsTest, AMacroMayBeKeptInItsOwnScope) {
  EXPECT_EQ(Text("{% macro a() %}x{% endmacro %}{% set b = [a] %}{{ b[0]() }}"), "x");
}

TEST(JinjaLimitsTest, LimitsAreSettings) {
  JinjaLimits limits;
  limits.output_bytes_max = 5;
  EXPECT_TRUE(Render("12345", "{}", limits).ok());
  EXPECT_THAT(Render("123456", "{}", limits).status().message(), HasSubstr("more than 5 bytes"));
  limits = {};
  limits.steps_max = 100;
  EXPECT_THAT(
      Render("{% for i in range(99) %}{{ i }}{% endfor %}", "{}", limits).status().message(),
      HasSubstr("more than 100 steps"));
}

TEST(JinjaTemplateTest, TimeIsGiven) {
  setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  tzset();
  EXPECT_EQ(Text("{{ strftime_now('%d %b %Y') }}"), "01 Jan 1970");
}

TEST(JsonValueTest, RefusesWhatIsNoJson) {
  EXPECT_FALSE(ParseJsonValue("{\"a\": }").ok());
  EXPECT_FALSE(ParseJsonValue("").ok());
  EXPECT_FALSE(ParseJsonValue(std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_EQ(WriteJsonValue(*ParseJsonValue(R"({"b":1,"a":[1.0,"\u00e4"],"b":2})"))->bytes(),
            R"({"b": 2, "a": [1.0, "ä"]})");
}

}  // namespace
}  // namespace aio
