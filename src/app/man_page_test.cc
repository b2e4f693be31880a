#include "app/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace aio {
namespace {

using testing::HasSubstr;
using testing::Not;

CommandDescription Tool() {
  return {.name = "tool",
          .description = "TOOL: does\nthings.",
          .subcommands = {{.name = "run",
                           .description = "Runs",
                           .options = {{.names = {"-n"},
                                        .description = "how often; it's `tool run` that counts",
                                        .value = "INT",
                                        .bounds = "INT in [1 - 9]",
                                        .environment = "TOOL_N"}}}}};
}

TEST(ManPageTest, SaysWhatTheHelpSays) {
  const std::string page = ManPage(Tool(), "1.2");
  EXPECT_THAT(page, HasSubstr("\"tool 1.2\""));
  EXPECT_THAT(page, HasSubstr("\ntool \\- does things\n"));
  EXPECT_THAT(page, HasSubstr(".SS tool run\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-n\\fR \\fIINT\\fR\n"
                              "how often; it\\(aqs \\fBtool run\\fR that counts "
                              "(1 to 9; or the variable TOOL_N)\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fBTOOL_N\\fR\nstands in for \\-n\n"));
}

TEST(ManPageTest, NoTextBecomesARequest) {
  CommandDescription tool = Tool();
  tool.subcommands[0].footer = "Example:\n  .tool 'a\\b'\n'quoted";
  const std::string page = ManPage(tool, "1.2");
  EXPECT_THAT(page, HasSubstr(".EX\n\\&.tool \\(aqa\\eb\\(aq\n.EE\n.RE\n.PP\n\\(aqquoted\n"));
  EXPECT_THAT(page, Not(HasSubstr("\n'")));
}

}  // namespace
}  // namespace aio
