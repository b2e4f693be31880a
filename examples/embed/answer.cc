// The engine and the router in a program of your own: loads a small and a large model, and lets
// the router choose which one answers.
//
//   answer SMALL.gguf LARGE.gguf POLICY.toml PROMPT
#include <aio/engine/embedded_backend.h>
#include <aio/formats/gguf.h>
#include <aio/model/model.h>
#include <aio/router/router.h>
#include <aio/tokenizer/chat_template.h>
#include <aio/tokenizer/tokenizer.h>

#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

// A GGUF file as a model that can speak.
aio::Result<aio::EmbeddedModel> Load(std::string name, std::string role, const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<const aio::GgufFile> file, aio::GgufFile::Open(path));
  aio::EmbeddedModel model{.name = std::move(name), .role = std::move(role)};
  AIO_ASSIGN_OR_RETURN(model.tokenizer, aio::Tokenizer::Load(*file));
  AIO_ASSIGN_OR_RETURN(model.chat_template, aio::ChatTemplate::FromGguf(*file));
  AIO_ASSIGN_OR_RETURN(model.model, aio::Model::Load(file));
  return model;
}

// What the probe asks the bundled pair's small model, as config/pocket.toml has it.
aio::LabelQuery PocketLabels() {
  return {.suffix = "<|im_start|>intent\n",
          .labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}}};
}

// Prints an answer as it comes, on the engine's thread; whoever started it waits for its end.
class PrintingSink final : public aio::EventSink {
 public:
  aio::Status Wait() { return end_.get_future().get(); }

  void OnStart(const aio::StartEvent& event) override {
    if (event.decision) std::cout << "why: " << event.decision->reason << "\n";
    std::cout << "model: " << event.model << "\nanswer: ";
  }
  void OnToken(const aio::TokenEvent& event) override { std::cout << event.text << std::flush; }
  void OnFinish(const aio::FinishEvent& event) override {
    std::cout << "\ntokens: " << event.usage.completion_tokens << std::endl;
    end_.set_value(aio::Status::Ok());
  }
  void OnError(const aio::Status& status) override { end_.set_value(status); }

 private:
  std::promise<aio::Status> end_;
};

aio::Status Answer(const std::vector<std::string>& arguments) {
  std::vector<aio::EmbeddedModel> models;
  AIO_ASSIGN_OR_RETURN(models.emplace_back(), Load("little", "small", arguments[0]));
  AIO_ASSIGN_OR_RETURN(models.emplace_back(), Load("big", "large", arguments[1]));
  const std::shared_ptr<const aio::Tokenizer> tokenizer = models[0].tokenizer;
  std::cout << "prompt: " << tokenizer->EncodeText(arguments[3], /*add_bos=*/false).size()
            << " tokens of text\n";

  const aio::SystemClock clock;
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<aio::EmbeddedBackend> engine,
                       aio::EmbeddedBackend::Create(std::move(models), {.num_threads = 2}, clock));
  aio::RouterOptions options;
  options.small = {.backend = engine.get(), .model = "little"};
  options.large = {.backend = engine.get(), .model = "big"};
  options.labels = PocketLabels();
  AIO_ASSIGN_OR_RETURN(options.policy, aio::RoutingPolicy::FromFile(arguments[2]));
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<aio::Router> router,
                       aio::Router::Create(options, clock));

  aio::Request request;
  request.model = "auto";  // or "small", "large", "little", "big"
  request.prompt = std::vector<aio::ChatMessage>{{"user", arguments[3]}};
  request.sampling.temperature = 0;
  request.sampling.max_tokens = 64;
  const auto sink = std::make_shared<PrintingSink>();
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<aio::Ticket> ticket, router->Generate(request, sink));
  return sink->Wait();  // ticket->Cancel() would end it earlier
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: answer SMALL.gguf LARGE.gguf POLICY.toml PROMPT\n";
    return 2;
  }
  const aio::Status status = Answer({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << "answer: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
