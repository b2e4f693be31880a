#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/toml_table.h"
#include "router/read_policy.h"

namespace aio {
namespace {

constexpr double kBiasMax = 1000;  // nats, of either sign
constexpr size_t kSha256Digits = 64;

void CheckLabelNames(TomlTable& table, const std::vector<std::string>& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!IsPlainName(labels[i])) {
      table.Fail("labels", "a label's name is 1 to 32 of letters, digits, '.', '_' and '-'");
    }
    if (std::find(labels.begin(), labels.begin() + static_cast<ptrdiff_t>(i), labels[i]) !=
        labels.begin() + static_cast<ptrdiff_t>(i)) {
      table.Fail("labels", fmt::format("names '{}' twice", labels[i]));
    }
  }
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsDate(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == 'd' ? c >= '0' && c <= '9' : c == form;
         });
}

std::string ReadFingerprint(TomlTable& table, std::string_view key) {
  std::string fingerprint = table.String(key).value_or("");
  if (fingerprint.size() > kSha256Digits || !IsHex(fingerprint)) {
    table.Fail(key,
               "must be a model's fingerprint as `aio inspect` prints it: lower-case "
               "hexadecimal digits");
  }
  return fingerprint;
}

PolicyEvidence::Data ReadData(TomlTable& table) {
  constexpr int kRowsMax = std::numeric_limits<int>::max();
  PolicyEvidence::Data data;
  table.Require("name");
  data.name = table.String("name").value_or("");
  data.rows = table.Int("rows", 0, kRowsMax).value_or(0);
  data.used = table.Int("used", 0, kRowsMax).value_or(0);
  data.sha256 = table.String("sha256").value_or("");
  if (!data.sha256.empty() && (data.sha256.size() != kSha256Digits || !IsHex(data.sha256))) {
    table.Fail("sha256", "must be 64 lower-case hexadecimal digits");
  }
  return data;
}

}  // namespace

std::optional<ProbeCalibration> ReadCalibration(TomlTable& root) {
  std::optional<TomlTable> table = root.Table("calibration");
  if (!table) return std::nullopt;
  ProbeCalibration calibration;
  table->Require("labels");
  calibration.labels = table->Strings("labels").value_or(std::vector<std::string>{});
  CheckLabelNames(*table, calibration.labels);
  calibration.bias = table->Numbers("bias", -kBiasMax, kBiasMax)
                         .value_or(std::vector<double>(calibration.labels.size(), 0.0));
  if (calibration.bias.size() != calibration.labels.size()) {
    table->Fail("bias", fmt::format("{} numbers for {} labels", calibration.bias.size(),
                                    calibration.labels.size()));
  }
  calibration.temperature = table->Number("temperature", 0.001, 1000).value_or(1);
  return calibration;
}

std::optional<PolicyEvidence> ReadEvidence(TomlTable& root) {
  std::optional<TomlTable> table = root.Table("evidence");
  if (!table) return std::nullopt;
  PolicyEvidence evidence;
  evidence.date = table->String("date").value_or("");
  if (table->Has("date") && !IsDate(evidence.date)) {
    table->Fail("date", "must be a day, such as \"2026-11-29\"");
  }
  evidence.probe = table->String("probe").value_or("");
  if (table->Has("probe") && evidence.probe != "template" && evidence.probe != "head") {
    table->Fail("probe", "must be \"template\" or \"head\"");
  }
  evidence.small = ReadFingerprint(*table, "small");
  evidence.large = ReadFingerprint(*table, "large");
  for (TomlTable& data : table->Tables("data")) evidence.data.push_back(ReadData(data));
  evidence.accuracy = table->Number("accuracy", 0, 1);
  evidence.ece = table->Number("ece", 0, 1);
  evidence.loss_upper_bound = table->Number("loss_upper_bound", -100, 100);
  evidence.loss_confidence = table->Number("loss_confidence", 0, 1);
  return evidence;
}

std::optional<SessionSettings> ReadSession(TomlTable& root) {
  std::optional<TomlTable> table = root.Table("session");
  if (!table) return std::nullopt;
  SessionSettings session;
  session.change_confidence =
      table->Number("change_confidence", 0, 1).value_or(session.change_confidence);
  return session;
}

std::optional<DriftSettings> ReadDrift(TomlTable& root) {
  std::optional<TomlTable> table = root.Table("drift");
  if (!table) return std::nullopt;
  DriftSettings drift;
  using Shares = std::vector<std::pair<std::string, double>>;
  drift.label_shares = table->NamedNumbers("label_shares", 0, 1).value_or(Shares{});
  double sum = 0;
  for (const auto& [label, share] : drift.label_shares) sum += share;
  constexpr double kRounding = 0.01;
  if (table->Has("label_shares") && std::abs(sum - 1) > kRounding) {
    table->Fail("label_shares", fmt::format("add up to {:.3f}; they must to 1", sum));
  }
  drift.entropy_mean = table->Number("entropy_mean", 0, kEntropyMax);
  drift.entropy_sd = table->Number("entropy_sd", 0, kEntropyMax).value_or(0);
  if (drift.entropy_mean && drift.entropy_sd <= 0) {
    table->Fail("entropy_sd", "must be more than 0: entropy_mean is held against it");
  }
  drift.window = table->Int("window", 30, 1'000'000).value_or(drift.window);
  drift.confidence = table->Number("confidence", 0.5, 0.999999).value_or(drift.confidence);
  const std::optional<std::string> fallback = table->String("fallback");
  drift.fall_back = fallback == "large";
  if (fallback && !drift.fall_back) {
    table->Fail("fallback", "must be \"large\"; without the key drift is only reported");
  }
  return drift;
}

}  // namespace aio
