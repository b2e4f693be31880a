#include "sim/find_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace aio {
namespace {

struct BuiltInPolicy {
  std::string_view name;
  std::string_view toml;
};

constexpr std::array<BuiltInPolicy, 3> kBuiltIn = {{
    {"static-small", "version = 1\nname = \"static-small\"\nkind = \"static-small\"\n"},
    {"static-large", "version = 1\nname = \"static-large\"\nkind = \"static-large\"\n"},
    {"random", "version = 1\nname = \"random\"\nkind = \"random\"\n[random]\np_small = 0.5\n"},
}};

}  // namespace

Result<RoutingPolicy> FindPolicy(const std::string& name_or_path) {
  if (name_or_path == "paper") return RoutingPolicy::Paper();
  for (const BuiltInPolicy& policy : kBuiltIn) {
    if (policy.name == name_or_path) {
      return RoutingPolicy::FromToml(policy.toml, std::string(policy.name));
    }
  }
  if (name_or_path.find_first_of("./") == std::string::npos) {
    return NotFound("there is no policy '" + name_or_path +
                    "': there are paper, static-small, static-large and random, or name a file");
  }
  return RoutingPolicy::FromFile(name_or_path);
}

Result<RoutingPolicy> PolicyWithLambda(const RoutingPolicy& policy, double lambda) {
  if (policy.settings().kind != PolicyKind::kUtility) {
    return InvalidArgument("policy '" + policy.name() +
                           "' has no lambda: only those of the kind utility have one");
  }
  // The line of [utility] that says it, or a new one at the head of that table.
  const std::string line = fmt::format("lambda = {}", lambda);
  std::string text;
  bool inside = false;
  bool is_written = false;
  size_t begin = 0;
  const std::string& old = policy.text();
  while (begin < old.size()) {
    const size_t end = std::min(old.find('\n', begin), old.size());
    const std::string_view read = std::string_view(old).substr(begin, end - begin);
    begin = end + 1;
    const size_t first = std::min(read.find_first_not_of(" \t"), read.size());
    const std::string_view content = read.substr(first);
    if (content.starts_with('[')) inside = content.starts_with("[utility]");
    const bool says_it =
        inside && (content.starts_with("lambda ") || content.starts_with("lambda="));
    if (says_it) continue;
    text += fmt::format("{}\n", read);
    if (inside && !is_written && content.starts_with('[')) {
      text += line + "\n";
      is_written = true;
    }
  }
  if (!is_written) text += "\n[utility]\n" + line + "\n";
  AIO_ASSIGN_OR_RETURN(RoutingPolicy changed, RoutingPolicy::FromToml(text, policy.name()));
  if (changed.settings().utility.lambda != lambda) {
    return InvalidArgument("policy '" + policy.name() + "': its lambda could not be replaced");
  }
  return changed;
}

}  // namespace aio
