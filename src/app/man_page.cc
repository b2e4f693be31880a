#include "app/man_page.h"

#include <fmt/format.h>

#include <map>
#include <vector>

namespace aio {
namespace {

// As text in a line of roff: nothing in it is a request or an escape. What stands between
// backquotes is bold.
std::string Roff(std::string_view text) {
  std::string roff;
  bool bold = false;
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else if (c == '\'') {
      roff += "\\(aq";
    } else if (c == '^' || c == '~') {
      roff += c == '^' ? "\\(ha" : "\\(ti";
    } else if (c == '`') {
      bold = !bold;
      roff += bold ? "\\fB" : "\\fR";
    } else {
      roff += c;
    }
  }
  if (bold) roff += "\\fR";
  if (roff.starts_with('.')) roff.insert(0, "\\&");
  return roff;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    lines.push_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

// A footer's paragraphs; lines that are indented are commands or their output.
std::string Footer(std::string_view footer) {
  std::string roff;
  bool example = false, begun = false;
  for (const std::string_view line : Lines(footer)) {
    const bool indented = line.starts_with(' ');
    if (indented && !example) roff += ".PP\n.RS 4\n.EX\n";
    if (!indented && example) roff += ".EE\n.RE\n";
    if (!indented && (example || !begun)) roff += ".PP\n";
    example = indented;
    begun = true;
    if (!line.empty()) roff += Roff(indented ? line.substr(line.find_first_not_of(' ')) : line);
    roff += '\n';
  }
  if (example) roff += ".EE\n.RE\n";
  return roff;
}

std::string Bold(std::string_view text) { return "\\fB" + Roff(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Roff(text) + "\\fR"; }

// "-c, --config TEXT"
std::string Heading(const CommandOption& option) {
  std::string heading;
  for (const std::string& name : option.names) {
    if (!heading.empty()) heading += ", ";
    heading += Bold(name);
  }
  const std::string& value = option.names.empty() ? option.positional : option.value;
  if (!value.empty()) heading += (heading.empty() ? "" : " ") + Italic(value);
  if (option.repeats) heading += " ...";
  return heading;
}

// "INT in [0 - 65535]" as "0 to 65535".
std::string Range(const std::string& bounds) {
  const size_t open = bounds.find('[');
  const size_t dash = bounds.find(" - ", open);
  if (open == std::string::npos || dash == std::string::npos || !bounds.ends_with(']')) {
    return bounds;
  }
  return fmt::format("{} to {}", bounds.substr(open + 1, dash - open - 1),
                     bounds.substr(dash + 3, bounds.size() - dash - 4));
}

// What stands in parentheses after an option's description.
std::string Terms(const CommandOption& option) {
  std::vector<std::string> terms;
  if (option.required) terms.emplace_back("required");
  if (!option.choices.empty()) {
    terms.push_back(fmt::format("one of {}", fmt::join(option.choices, ", ")));
  } else if (option.bounds == "NONNEGATIVE") {
    terms.emplace_back("not negative");
  } else if (option.bounds == "FILE") {
    terms.emplace_back("a file that exists");
  } else if (!option.bounds.empty()) {
    terms.push_back(Range(option.bounds));
  }
  if (!option.default_value.empty()) terms.push_back("default " + option.default_value);
  if (!option.environment.empty()) terms.push_back("or the variable " + option.environment);
  return terms.empty() ? "" : fmt::format(" ({})", fmt::join(terms, "; "));
}

bool IsHelp(const CommandOption& option) {
  return !option.names.empty() && option.names.back() == "--help";
}

std::string Options(const CommandDescription& command, bool is_program) {
  std::string roff;
  for (const CommandOption& option : command.options) {
    if (IsHelp(option) && !is_program) continue;  // all have it, says the footer
    roff += fmt::format(".TP\n{}\n{}\n", Heading(option), Roff(option.description + Terms(option)));
  }
  return roff;
}

std::string Synopsis(const std::string& words, const CommandDescription& command) {
  std::string roff = Bold(words) + " [" + Italic("options") + "]";
  for (const CommandOption& option : command.options) {
    if (option.positional.empty()) continue;
    const std::string name = Italic(option.positional) + (option.repeats ? " ..." : "");
    roff += option.required ? " " + name : " [" + name + "]";
  }
  return roff;
}

std::string Commands(const CommandDescription& program) {
  std::string roff;
  ForEachCommand(program, [&](const std::string& words, const CommandDescription& command) {
    if (words == program.name) return;
    roff += fmt::format(".SS {}\n", Roff(words));
    // Of a group, what it is; its commands follow.
    if (command.subcommands.empty()) roff += Synopsis(words, command) + "\n.PP\n";
    for (const std::string_view line : Lines(command.description)) roff += Roff(line) + "\n";
    if (command.subcommands.empty()) roff += Options(command, /*is_program=*/false);
    roff += Footer(command.footer);
  });
  return roff;
}

std::string Environment(const CommandDescription& program) {
  std::map<std::string, std::vector<std::string>> uses;  // by variable: the options
  ForEachCommand(program, [&](const std::string& /*words*/, const CommandDescription& command) {
    for (const CommandOption& option : command.options) {
      if (option.environment.empty()) continue;
      std::vector<std::string>& names = uses[option.environment];
      if (names.empty() || names.back() != option.names.back()) {
        names.push_back(option.names.back());
      }
    }
  });
  std::string roff;
  for (const auto& [variable, names] : uses) {
    roff += fmt::format(".TP\n{}\nstands in for {}\n", Bold(variable),
                        Roff(fmt::format("{}", fmt::join(names, ", "))));
  }
  return roff;
}

// What no help text says.
constexpr std::string_view kEnvironment = R"(.TP
\fBAIO_TARGET\fR
the instruction set that the kernels use, in place of the best that the machine has:
scalar, sse4, avx2, avx512, avx512_vnni or neon
.TP
\fBNOTIFY_SOCKET\fR
set by a service manager such as \fBsystemd\fR(1), which \fBaio serve\fR tells when it is ready,
reloads and stops
)";

constexpr std::string_view kSignals = R"(.SH SIGNALS
Of \fBaio serve\fR:
.TP
SIGHUP
reads the configuration anew; what is wrong in it is logged, and what was in force stays
.TP
SIGTERM, SIGINT
refuses new requests and lets those that run end, for as long as \fB\-\-drain\-seconds\fR says;
a second one ends at once
)";

constexpr std::string_view kFiles = R"(.SH FILES
Without \fB\-\-config\fR and \fBAIO_CONFIG\fR, the configuration is the first of these that there is
in the folder of the program or in one above it:
.TP
.I config/pocket.toml
in a source tree
.TP
.I etc/aio/aio.toml
of an installed program, such as
.I /etc/aio/aio.toml
.TP
.I share/aio/config/pocket.toml
the bundled pair, such as
.I /usr/share/aio/config/pocket.toml
.PP
Models and policies that come with the program are in
.I share/aio/models
and
.IR share/aio/policy .
)";

constexpr std::string_view kEnd = R"(.SH SEE ALSO
.BR systemd.service (5),
.BR curl (1)
)";

}  // namespace

std::string ManPage(const CommandDescription& program, std::string_view version) {
  std::string about;  // in one line
  for (const std::string_view line : Lines(program.description)) {
    about += fmt::format("{}{}", about.empty() ? "" : " ", line);
  }
  const size_t colon = about.find(": ");
  std::string summary = colon == std::string::npos ? about : about.substr(colon + 2);
  if (summary.ends_with('.')) summary.pop_back();
  std::string roff = fmt::format(
      ".\\\" Made by `{0} man`.\n.TH {1} 1 \"\" \"{0} {2}\" \"User Commands\"\n.SH NAME\n"
      "{3} \\- {4}\n.SH SYNOPSIS\n{5} [{6}]\n.SH DESCRIPTION\n{7}\n",
      program.name, "AIO", version, Roff(program.name), Roff(summary),
      Bold(program.name) + " " + Italic("command"), Italic("options"), Roff(about));
  roff += Footer(program.footer) + ".SH OPTIONS\n" + Options(program, /*is_program=*/true);
  roff += ".SH COMMANDS\n" + Commands(program);
  roff +=
      ".SH EXIT STATUS\n.TP\n0\nfine\n.TP\n1\nfailed; standard error says why\n.TP\n2\n"
      "wrong usage\n";
  roff += ".SH ENVIRONMENT\n" + Environment(program);
  return roff.append(kEnvironment).append(kSignals).append(kFiles).append(kEnd);
}

}  // namespace aio
