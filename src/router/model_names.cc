#include "router/model_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "router/routing_policy.h"

namespace aio {
namespace {

constexpr size_t kThresholdBytesMax = 18;

// "0", "0.45": digits, at most one point and that between digits. No sign, no exponent.
bool IsPlainDecimal(std::string_view text) {
  if (text.empty() || text.size() > kThresholdBytesMax) return false;
  if (text.front() == '.' || text.back() == '.') return false;
  if (std::count(text.begin(), text.end(), '.') > 1) return false;
  return text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::string QuoteClientText(std::string_view text) {
  constexpr size_t kShownMax = 80;
  std::string shown = ReplaceInvalidUtf8(text.substr(0, kShownMax));
  return fmt::format("'{}{}'", shown, text.size() > kShownMax ? "..." : "");
}

Result<ModelNames> ModelNames::Create(std::vector<std::string> virtual_names,
                                      std::vector<NamedModel> models, size_t num_labels) {
  AIO_CHECK(num_labels >= 2);
  if (virtual_names.empty()) return InvalidArgument("no name asks for routing; give one: 'auto'");
  std::set<std::string, std::less<>> taken = {std::string(kSmallRole), std::string(kLargeRole)};
  std::vector<std::string> all = virtual_names;
  for (const NamedModel& model : models) {
    all.push_back(model.name);
    // The roles are names too; a model may be called after its own role.
    if (model.weights.empty() && model.name == model.role) taken.erase(model.name);
  }
  for (const std::string& name : all) {
    if (name.empty()) return InvalidArgument("a model's name is empty");
    if (!taken.insert(name).second) {
      return InvalidArgument(
          fmt::format("the name '{}' would stand for two things; rename a model", name));
    }
  }
  ModelNames names;
  names.virtual_names_ = std::move(virtual_names);
  names.models_ = std::move(models);
  names.threshold_max_ = std::log(static_cast<double>(num_labels));
  return names;
}

Result<NamedRoute> ModelNames::Resolve(std::string_view name) const {
  for (const std::string_view role : {kSmallRole, kLargeRole}) {
    if (name == role) return NamedRoute{.role = std::string(role)};
  }
  for (const NamedModel& model : models_) {
    if (name == model.name) {
      return NamedRoute{.role = std::string(model.role), .weights = model.weights};
    }
  }
  // The longest virtual name that it begins with: "auto-fast-0.3" may be of "auto-fast".
  std::string_view longest;
  for (const std::string& virtual_name : virtual_names_) {
    if (name == virtual_name) return NamedRoute{};
    const bool begins = name.starts_with(virtual_name) && name[virtual_name.size()] == '-';
    if (begins && virtual_name.size() > longest.size()) longest = virtual_name;
  }
  if (!longest.empty()) {
    AIO_ASSIGN_OR_RETURN(const double threshold,
                         ParseThreshold(name, name.substr(longest.size() + 1)));
    return NamedRoute{.entropy_threshold = threshold};
  }
  return NotFound(fmt::format("no model {}; there are: {}", QuoteClientText(name), List()))
      .WithReason("model_not_found")
      .WithParam("model");
}

Result<double> ModelNames::ParseThreshold(std::string_view name, std::string_view digits) const {
  double threshold = 0;
  bool valid = IsPlainDecimal(digits);
  if (valid) {
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), threshold,
                                        std::chars_format::fixed);
    valid = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() &&
            threshold <= threshold_max_;
  }
  if (valid) return threshold;
  return InvalidArgument(
             fmt::format("model {}: the entropy threshold at its end must be a plain decimal "
                         "number from 0 to {:.4f} nats, as in '{}-0.45'",
                         QuoteClientText(name), threshold_max_, virtual_names_.front()))
      .WithParam("model");
}

std::string ModelNames::List() const {
  std::vector<std::string_view> all(virtual_names_.begin(), virtual_names_.end());
  const auto add = [&](std::string_view name) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  };
  add(kSmallRole);
  add(kLargeRole);
  for (const NamedModel& model : models_) add(model.name);
  return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace aio
