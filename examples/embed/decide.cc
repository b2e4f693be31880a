// The policy alone: which model and decoding strategy would answer, from numbers that you have
// from elsewhere. A pure function; no model, no thread, no clock.
//
//   decide POLICY.toml CODE QA MATH PROMPT_TOKENS      scores of the labels, as logits
#include <aio/router/explain.h>
#include <aio/router/routing_policy.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

aio::Status Decide(const std::string& policy_path, const std::vector<float>& logits,
                   int prompt_tokens) {
  AIO_ASSIGN_OR_RETURN(const aio::RoutingPolicy policy, aio::RoutingPolicy::FromFile(policy_path));
  aio::Signals signals;
  AIO_ASSIGN_OR_RETURN(signals.intent,
                       aio::IntentDistribution::FromLogits({"code", "qa", "math"}, logits));
  signals.label_logits = logits;
  signals.prompt_tokens = prompt_tokens;

  const aio::PolicyOutcome outcome = policy.Decide(signals);
  std::cout << "role: " << outcome.role << "\nstrategy: " << StrategyName(outcome.strategy.kind)
            << "\nwhy: " << outcome.reason << "\n";
  for (const aio::Turn& turn : Explain(policy, signals).turns) {
    std::cout << "with " << turn.what << " changed by " << turn.change << ": " << turn.role << "\n";
  }
  return aio::Status::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: decide POLICY.toml CODE QA MATH PROMPT_TOKENS\n";
    return 2;
  }
  try {
    const aio::Status status = Decide(
        argv[1], {std::stof(argv[2]), std::stof(argv[3]), std::stof(argv[4])}, std::stoi(argv[5]));
    if (!status.ok()) std::cerr << "decide: " << status.message() << "\n";
    return status.ok() ? 0 : 1;
  } catch (const std::exception&) {
    std::cerr << "decide: the scores and the length must be numbers\n";
    return 2;
  }
}
