// What EmbeddedBackend tells of text: tokens, templates, embeddings; and answers that share a
// prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "engine/embedded_backend.h"
#include "engine/embedding.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

class TextQueriesTest : public testing::Test {
 protected:
  void Start(EngineOptions options = {}) {
    options.num_threads = 1;
    TestModelSpec spec;
    spec.context_length = 512;
    std::vector<EmbeddedModel> models = {MakeTinyModel("tiny", "small", spec)};
    backend_ = EmbeddedBackend::Create(std::move(models), options, clock_).value();
  }

  Result<Embeddings> Embed(std::vector<Prompt> inputs) {
    std::promise<Result<Embeddings>> done;
    const auto ticket =
        backend_->Embed({.model = "small", .inputs = std::move(inputs)},
                        [&](Result<Embeddings> result) { done.set_value(std::move(result)); });
    if (!ticket.ok()) return ticket.status();
    return done.get_future().get();
  }

  ManualClock clock_;
  std::unique_ptr<EmbeddedBackend> backend_;
};

TEST_F(TextQueriesTest, TokensComeBackAsText) {
  Start();
  const Result<Tokenized> tokenized =
      backend_->Tokenize({.model = "tiny", .prompt = std::string("hello world")});
  ASSERT_TRUE(tokenized.ok()) << tokenized.status().ToString();
  EXPECT_EQ(tokenized->model, "tiny");
  EXPECT_EQ(tokenized->context_length, 512);
  EXPECT_EQ(tokenized->pieces.size(), tokenized->tokens.size());
  const Result<Tokenized> bare = backend_->Tokenize(
      {.model = "small", .prompt = std::string("hello world"), .add_special = false});
  EXPECT_EQ(backend_->Detokenize("tiny", bare->tokens).value(), "hello world");
  EXPECT_EQ(backend_->Tokenize({.model = "nope", .prompt = std::string("x")}).status().code(),
            StatusCode::kNotFound);
  const Status status = backend_->Detokenize("tiny", std::vector<int32_t>{0, 1 << 30}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.param(), "tokens[1]");
}

TEST_F(TextQueriesTest, ConversationsTokenizeAsTheyArePrompted) {
  Start();
  const std::vector<ChatMessage> messages = {{"user", "hello"}};
  const Result<Tokenized> tokenized = backend_->Tokenize({.model = "tiny", .prompt = messages});
  Request request;
  request.model = "tiny";
  request.prompt = messages;
  const Result<int> counted = backend_->CountPromptTokens(request);
  ASSERT_TRUE(tokenized.ok()) << tokenized.status().ToString();
  EXPECT_EQ(static_cast<int>(tokenized->tokens.size()), counted.value());
  EXPECT_EQ(tokenized->pieces.front(), "<|im_start|>");
  EXPECT_EQ(backend_->RenderChat({.model = "tiny", .prompt = messages}).value(),
            "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(
      backend_->RenderChat({.model = "tiny", .prompt = messages, .add_generation_prompt = false})
          .value(),
      "<|im_start|>user\nhello<|im_end|>\n");
}

TEST_F(TextQueriesTest, EmbeddingsHaveLengthOneAndDependOnTheirTextAlone) {
  Start();
  const Result<Embeddings> alone = Embed({std::string("one two three")});
  ASSERT_TRUE(alone.ok()) << alone.status().ToString();
  EXPECT_EQ(alone->model, "tiny");
  ASSERT_EQ(alone->vectors.size(), 1u);
  EXPECT_EQ(static_cast<int>(alone->vectors[0].size()), backend_->Models()[0].hidden_size);
  double squares = 0;
  for (const float value : alone->vectors[0]) squares += value * value;
  EXPECT_NEAR(squares, 1, 1e-5);

  // In a batch of more inputs than are in flight at once, some of which are alike.
  std::vector<Prompt> inputs;
  for (int i = 0; i < 20; ++i) {
    inputs.emplace_back(std::string(i % 3 == 0 ? "one two three" : "something else"));
  }
  const Result<Embeddings> batch = Embed(inputs);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  ASSERT_EQ(batch->vectors.size(), 20u);
  for (int i = 0; i < 20; i += 3) EXPECT_EQ(batch->vectors[i], alone->vectors[0]);
  EXPECT_NE(batch->vectors[1], alone->vectors[0]);

  // A text is embedded as the tokens that it has as a prompt.
  const Tokenized tokens =
      backend_->Tokenize({.model = "tiny", .prompt = std::string("one two three")}).value();
  EXPECT_EQ(Embed({tokens.tokens})->vectors, alone->vectors);
  EXPECT_EQ(alone->prompt_tokens, static_cast<int>(tokens.tokens.size()));
}

TEST_F(TextQueriesTest, EmbeddingsThatCannotBeAreRefused) {
  Start();
  EXPECT_EQ(Embed({std::string("")}).status().code(), StatusCode::kInvalidArgument);
  const Status status = Embed({std::vector<int32_t>(600, 1)}).status();
  EXPECT_EQ(status.reason(), "context_length_exceeded");
}

Request Ask(uint64_t seed) {
  Request request;
  request.model = "tiny";
  request.prompt = std::string(
      "one two three four five six seven eight nine ten eleven twelve "
      "thirteen fourteen fifteen sixteen seventeen eighteen nineteen");
  request.sampling.temperature = 1;
  request.sampling.ignore_eos = true;
  request.sampling.max_tokens = 8;
  request.sampling.seed = seed;
  return request;
}

// While it lives the engine thread waits in a sink.
class Gate {
 public:
  explicit Gate(Backend& backend) {
    sink_->on_start = [this] {
      started_.set_value();
      open_.get_future().wait();
    };
    Request request = Ask(1);
    request.sampling.max_tokens = 1;
    EXPECT_TRUE(backend.Generate(request, sink_).ok());
    started_.get_future().wait();
  }
  ~Gate() {
    open_.set_value();
    sink_->Wait();
  }

 private:
  std::promise<void> started_;
  std::promise<void> open_;
  const std::shared_ptr<CollectingSink> sink_ = std::make_shared<CollectingSink>();
};

TEST_F(TextQueriesTest, ABatchThatFindsNoRoomInTheQueueFails) {
  EngineOptions options;
  options.max_waiting = 1;
  Start(options);
  {
    const Gate gate(*backend_);
    const Result<Embeddings> batch = Embed(std::vector<Prompt>(8, std::string("one two three")));
    EXPECT_EQ(batch.status().code(), StatusCode::kResourceExhausted);
  }
  // What was cancelled leaves its place within a step.
  while (backend_->Load()[0].waiting > 0) std::this_thread::yield();
  EXPECT_TRUE(Embed({std::string("one")}).ok()) << "and the engine goes on";
}

TEST_F(TextQueriesTest, BatchesCanBeCancelled) {
  Start();
  std::promise<Result<Embeddings>> done;
  {
    const Gate gate(*backend_);
    const auto ticket = backend_->Embed(
        {.model = "tiny", .inputs = std::vector<Prompt>(100, std::string("one two"))},
        [&](Result<Embeddings> result) { done.set_value(std::move(result)); });
    ASSERT_TRUE(ticket.ok());
    (*ticket)->Cancel();
  }
  EXPECT_EQ(done.get_future().get().status().code(), StatusCode::kCancelled);
}

TEST(ToEmbeddingTest, ScalesByTheNormAndToLengthOne) {
  const std::vector<float> mean = {3, 4, 0};
  const std::vector<float> norm = {2, 1.5f, 7};
  EXPECT_THAT(ToEmbedding(mean, norm),
              Pointwise(FloatNear(1e-6f), {std::sqrt(0.5f), std::sqrt(0.5f), 0.0f}));
  EXPECT_THAT(ToEmbedding(std::vector<float>{0, 0, 0}, norm), ElementsAre(0, 0, 0));
}

// Whether or not KV is shared between requests, one prompt's answers share its.
TEST_F(TextQueriesTest, FurtherAnswersShareThePromptsKv) {
  for (const bool prefix_caching : {true, false}) {
    EngineOptions options;
    options.prefix_caching = prefix_caching;
    Start(options);
    Request first = Ask(1);
    first.hold_prompt = true;
    const auto sink = std::make_shared<CollectingSink>();
    ASSERT_TRUE(backend_->Generate(first, sink).ok());
    const std::shared_ptr<HeldPrompt> held = sink->Wait().start->held_prompt;
    ASSERT_NE(held, nullptr);
    Request second = Ask(2);
    second.held_prompt = held;
    const auto shared = GenerateAndWait(*backend_, second);
    EXPECT_GT(shared.finish->usage.cached_prompt_tokens, 0) << prefix_caching;
    Start(options);
    EXPECT_EQ(shared.text, GenerateAndWait(*backend_, Ask(2)).text);
  }
}

}  // namespace
}  // namespace aio
