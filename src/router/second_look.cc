#include "router/second_look.h"

#include <fmt/format.h>

#include <utility>

#include "router/prompt_parts.h"
#include "router/text_doubts.h"

namespace aio {
namespace {

// What the user says last: the text, or the messages after the last answer. Null for token ids.
std::optional<std::string> LastTurn(const Prompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
  const auto* messages = std::get_if<std::vector<ChatMessage>>(&prompt);
  if (messages == nullptr) return std::nullopt;
  std::string turn;
  for (const ChatMessage& message : *messages) {
    if (message.role == "assistant") turn.clear();
    if (message.role != "user") continue;
    if (!turn.empty()) turn += "\n\n";
    turn += message.content;
  }
  return turn;
}

// The same kind of prompt, of `text` alone.
Prompt OnlyText(const Prompt& like, std::string text) {
  if (std::holds_alternative<std::string>(like)) return text;
  return std::vector<ChatMessage>{{"user", std::move(text)}};
}

}  // namespace

SecondLook::SecondLook(Backend& backend, const LabelQuery& labels, const ProbeDefences& defences,
                       std::string label, Callback done)
    : backend_(backend),
      labels_(labels),
      defences_(defences),
      label_(std::move(label)),
      done_(std::move(done)) {}

void SecondLook::Start(const Request& request) {
  const std::vector<Look> looks = Looks(request);
  {
    const std::lock_guard lock(mutex_);
    waiting_ = looks.size() + 1;  // one more: nothing is over before all have begun
    doubts_.resize(looks.size());
  }
  Ask(looks);
  EndOne();
}

void SecondLook::Cancel() {
  std::vector<std::shared_ptr<Ticket>> tickets;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    tickets = tickets_;
  }
  for (const auto& ticket : tickets) ticket->Cancel();
}

std::vector<SecondLook::Look> SecondLook::Looks(const Request& request) {
  const std::optional<std::string> turn = LastTurn(request.prompt);
  std::vector<PromptPart> parts;
  if (turn) {
    if (defences_.form) own_doubts_ = TextDoubts(*turn);
    if (defences_.parts) parts = PromptParts(*turn);
    if (parts.size() > kPartsMax) own_doubts_.push_back(fmt::format("{} parts", parts.size()));
  } else if (defences_.form || defences_.parts) {
    own_doubts_.emplace_back("token ids");  // of control tokens, perhaps, which no text is
  }
  std::vector<Look> looks;
  if (!own_doubts_.empty()) return looks;  // enough
  Request again = request;
  again.held_prompt.reset();
  if (defences_.second_template) {
    looks.push_back({again, *defences_.second_template, "second template"});
  }
  for (PromptPart& part : parts) {
    again.prompt = OnlyText(request.prompt, std::move(part.text));
    looks.push_back({again, labels_, std::move(part.what)});
  }
  return looks;
}

void SecondLook::Ask(const std::vector<Look>& looks) {
  for (size_t i = 0; i < looks.size(); ++i) {
    auto on_scores = [self = shared_from_this(), i, what = looks[i].what](
                         const Result<LabelScores>& scores) { self->OnScores(i, what, scores); };
    Result<std::shared_ptr<Ticket>> ticket =
        backend_.ScoreLabels(looks[i].request, looks[i].query, on_scores);
    if (!ticket.ok()) {
      OnScores(i, looks[i].what, ticket.status());
      continue;
    }
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      tickets_.push_back(*ticket);
      cancelled = cancelled_;
    }
    if (cancelled) (*ticket)->Cancel();
  }
}

void SecondLook::OnScores(size_t i, const std::string& what, const Result<LabelScores>& scores) {
  std::string doubt;
  Status fault;
  if (!scores.ok()) {
    const StatusCode code = scores.status().code();
    if (code == StatusCode::kCancelled || code == StatusCode::kDeadlineExceeded) {
      fault = scores.status();
    }
    doubt = fmt::format("{} not seen ({})", what, StatusCodeName(code));
  } else {
    std::vector<std::string> names;
    names.reserve(labels_.labels.size());
    for (const LabelQuery::Label& label : labels_.labels) names.push_back(label.name);
    const auto intent = IntentDistribution::FromLogits(std::move(names), scores->logits);
    if (!intent.ok()) {
      doubt = fmt::format("{} not seen", what);
    } else if (const std::string& top = intent->labels[intent->top()]; top != label_) {
      doubt = fmt::format("{} is {} {:.2f}", what, top, intent->probabilities[intent->top()]);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    doubts_[i] = std::move(doubt);
    if (!fault.ok()) fault_ = std::move(fault);
    if (scores.ok()) traffic_ += scores->traffic;
  }
  EndOne();
}

void SecondLook::EndOne() {
  SecondLookResult result;
  Status fault;
  {
    const std::lock_guard lock(mutex_);
    if (--waiting_ > 0) return;
    fault = fault_;
    result.traffic = traffic_;
    result.doubts = std::move(own_doubts_);
    for (std::string& doubt : doubts_) {
      if (!doubt.empty()) result.doubts.push_back(std::move(doubt));
    }
    tickets_.clear();  // one may lead back here
  }
  const Callback done = std::exchange(done_, nullptr);
  if (!fault.ok()) return done(fault);
  done(std::move(result));
}

}  // namespace aio
