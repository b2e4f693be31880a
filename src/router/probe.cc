#include "router/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "base/toml_table.h"

namespace aio {
namespace {

constexpr size_t kLabelsMax = 32;

Status CheckName(const LabelQuery& labels, size_t i) {
  const LabelQuery::Label& label = labels.labels[i];
  if (!IsPlainName(label.name)) {
    return InvalidArgument(fmt::format(
        "label {}: its name must be 1 to 32 of letters, digits, '.', '_' and '-'", i + 1));
  }
  for (size_t j = 0; j < i; ++j) {
    if (labels.labels[j].name != label.name) continue;
    return InvalidArgument(fmt::format("two labels are called '{}'", label.name));
  }
  return Status::Ok();
}

Status CheckWord(const LabelQuery& labels, size_t i) {
  const LabelQuery::Label& label = labels.labels[i];
  if (label.word.empty()) {
    return InvalidArgument(fmt::format("label '{}': its word is empty", label.name));
  }
  for (size_t j = 0; j < i; ++j) {
    const LabelQuery::Label& earlier = labels.labels[j];
    if (earlier.word == label.word) {
      return InvalidArgument(fmt::format("labels '{}' and '{}' have the same word, '{}'",
                                         earlier.name, label.name, label.word));
    }
  }
  return Status::Ok();
}

// Of a first look and the second one after it.
class ProbeTicket final : public Ticket {
 public:
  void Follow(std::shared_ptr<Ticket> next) {
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      cancelled = cancelled_;
      tickets_.push_back(next);
    }
    if (cancelled) next->Cancel();
  }
  void Cancel() override {
    std::vector<std::shared_ptr<Ticket>> tickets;
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      tickets = tickets_;
    }
    for (const auto& ticket : tickets) ticket->Cancel();
  }

 private:
  std::mutex mutex_;
  bool cancelled_ = false;                        // guarded by mutex_, as the next
  std::vector<std::shared_ptr<Ticket>> tickets_;  // of what has begun; ended ones do not mind
};

}  // namespace

Status CheckLabelNames(const LabelQuery& labels) {
  if (labels.labels.size() < 2 || labels.labels.size() > kLabelsMax) {
    return InvalidArgument(
        fmt::format("{} labels; a probe tells 2 to {} apart", labels.labels.size(), kLabelsMax));
  }
  for (size_t i = 0; i < labels.labels.size(); ++i) AIO_RETURN_IF_ERROR(CheckName(labels, i));
  return Status::Ok();
}

Status CheckLabelQuery(const LabelQuery& labels) {
  AIO_RETURN_IF_ERROR(CheckLabelNames(labels));
  if (labels.head != nullptr) return Status::Ok();
  for (size_t i = 0; i < labels.labels.size(); ++i) AIO_RETURN_IF_ERROR(CheckWord(labels, i));
  return Status::Ok();
}

namespace {

void ReadTemplate(TomlTable& probe, LabelQuery& query) {
  query.prefix = probe.String("prefix").value_or("");
  query.suffix = probe.String("suffix").value_or("");
  for (TomlTable& table : probe.Tables("labels")) {
    table.Require("name");
    if (!probe.Has("head")) table.Require("word");
    query.labels.push_back(
        {.name = table.String("name").value_or(""), .word = table.String("word").value_or("")});
  }
  if (probe.Has("head")) return;
  probe.Require("suffix");
  if (query.suffix.empty()) {
    probe.Fail("suffix", "is empty; it must ask for the label, e.g. \"... This is about:\"");
  }
  probe.Require("labels");
}

// The head is read from its file by whoever knows where that is: AttachHead().
void ReadHeadSettings(TomlTable& probe, LabelQuery& query) {
  query.early_exit = probe.Bool("head_early_exit").value_or(false);
  if (probe.Has("head_early_exit") && !probe.Has("head")) {
    probe.Fail("head_early_exit", "there is no head; name its file (head), or remove the key");
  }
}

}  // namespace

LabelQuery ReadProbeConfig(TomlTable& probe) {
  LabelQuery query;
  ReadTemplate(probe, query);
  ReadHeadSettings(probe, query);
  query.window_tokens = probe.Int("window_tokens", 0, std::numeric_limits<int>::max()).value_or(0);
  if (query.window_tokens != 0 && query.window_tokens < kProbeWindowTokensMin) {
    probe.Fail("window_tokens", fmt::format("must be 0 (all of the conversation) or at least {}, "
                                            "is {}",
                                            kProbeWindowTokensMin, query.window_tokens));
  }
  const bool has_head = probe.Has("head");
  if (query.labels.empty() && has_head) return query;
  const Status status = has_head ? CheckLabelNames(query) : CheckLabelQuery(query);
  if (!status.ok()) probe.Fail("labels", status.message());
  return query;
}

Result<LabelQuery> ProbeConfigFromToml(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(text, source));
  root.Require("version");
  root.Int("version", 1, 1);
  root.Require("probe");
  LabelQuery query;
  if (std::optional<TomlTable> probe = root.Table("probe")) query = ReadProbeConfig(*probe);
  AIO_RETURN_IF_ERROR(root.Finish());
  return query;
}

ProbeDefences ReadProbeDefences(TomlTable& probe, const LabelQuery& labels) {
  ProbeDefences defences;
  std::optional<TomlTable> table = probe.Table("defences");
  if (!table) return defences;
  defences.form = table->Bool("form").value_or(false);
  defences.parts = table->Bool("parts").value_or(false);
  std::optional<TomlTable> second = table->Table("second_template");
  if (!second) return defences;
  defences.second_template = ReadProbeConfig(*second);
  const auto same = [](const LabelQuery::Label& a, const LabelQuery::Label& b) {
    return a.name == b.name;
  };
  const std::vector<LabelQuery::Label>& others = defences.second_template->labels;
  if (!std::equal(labels.labels.begin(), labels.labels.end(), others.begin(), others.end(), same)) {
    second->Fail("labels", "must have the names of the probe's own labels, in their order");
  }
  return defences;
}

Probe::Probe(Backend& backend, LabelQuery labels, const Clock& clock)
    : Probe(backend, std::move(labels), clock, {}, {}) {}

Probe::Probe(Backend& backend, LabelQuery labels, const Clock& clock, ProbeDefences defences,
             Claim claim) {
  std::vector<std::string> names;
  names.reserve(labels.labels.size());
  for (const LabelQuery::Label& label : labels.labels) names.push_back(label.name);
  state_ = std::make_shared<const State>(State{.backend = backend,
                                               .labels = std::move(labels),
                                               .names = names,
                                               .clock = clock,
                                               .defences = std::move(defences),
                                               .claim = std::move(claim)});
}

Result<ProbeResult> Probe::ToResult(const State& state, Result<LabelScores> scores,
                                    TimePoint start) {
  if (!scores.ok()) return scores.status();
  Result<IntentDistribution> intent = IntentDistribution::FromLogits(state.names, scores->logits);
  if (!intent.ok()) {
    scores->held_prompt.reset();  // before the next step, which does not use it
    return intent.status();
  }
  return ProbeResult{.intent = *std::move(intent),
                     .logits = std::move(scores->logits),
                     .window_logits = std::move(scores->window_logits),
                     .held_prompt = std::move(scores->held_prompt),
                     .doubts = {},
                     .traffic = scores->traffic,
                     .elapsed_ms = ToMs(state.clock.Now() - start)};
}

Result<std::shared_ptr<Ticket>> Probe::Start(const Request& request, Callback done) const {
  if (state_->defences.any() && state_->claim) return StartDefended(request, std::move(done));
  const TimePoint start = state_->clock.Now();
  auto on_scores = [state = state_, start, done = std::move(done)](Result<LabelScores> scores) {
    done(ToResult(*state, std::move(scores), start));
  };
  return state_->backend.ScoreLabels(request, state_->labels, std::move(on_scores));
}

Result<std::shared_ptr<Ticket>> Probe::StartDefended(const Request& request, Callback done) const {
  const TimePoint start = state_->clock.Now();
  const auto ticket = std::make_shared<ProbeTicket>();
  auto on_scores = [state = state_, start, ticket, asked = std::make_shared<const Request>(request),
                    done = std::move(done)](Result<LabelScores> scores) {
    Result<ProbeResult> result = ToResult(*state, std::move(scores), start);
    if (!result.ok()) return done(std::move(result));
    std::optional<std::string> claimed = state->claim(*result);
    if (!claimed) return done(std::move(result));
    const auto first = std::make_shared<ProbeResult>(*std::move(result));
    const auto second = std::make_shared<SecondLook>(
        state->backend, state->labels, state->defences, *std::move(claimed),
        [state, start, first, done](Result<SecondLookResult> seen) {
          if (!seen.ok()) {
            first->held_prompt.reset();
            return done(seen.status());
          }
          first->doubts = std::move(seen->doubts);
          first->traffic += seen->traffic;
          first->elapsed_ms = ToMs(state->clock.Now() - start);
          done(std::move(*first));
        });
    ticket->Follow(second);
    second->Start(*asked);
  };
  AIO_ASSIGN_OR_RETURN(std::shared_ptr<Ticket> looking,
                       state_->backend.ScoreLabels(request, state_->labels, std::move(on_scores)));
  ticket->Follow(std::move(looking));
  return std::shared_ptr<Ticket>(ticket);
}

}  // namespace aio
