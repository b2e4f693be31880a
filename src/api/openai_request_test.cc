#include "api/openai_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// A chat body of one user message with `members` added.
std::string Chat(const std::string& members) {
  return R"({"model": "auto", "messages": [{"role": "user", "content": "Hi"}])" +
         (members.empty() ? "" : ", " + members) + "}";
}

std::string Completion(const std::string& members) {
  return R"({"model": "auto", "prompt": "Hi")" + (members.empty() ? "" : ", " + members) + "}";
}

std::string Messages(const std::string& messages) {
  return R"({"model": "auto", "messages": )" + messages + "}";
}

ApiRequest Decoded(const Result<ApiRequest>& result) {
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? *result : ApiRequest{};
}

SamplingParams ChatSampling(const std::string& members) {
  return Decoded(DecodeChatRequest(Chat(members))).request.sampling;
}

std::optional<Strategy> StrategyOf(const std::string& members) {
  return Decoded(DecodeChatRequest(Chat(members))).request.strategy;
}

// The field a refused body is refused for.
std::string Refused(const Result<ApiRequest>& result) {
  if (result.ok()) return "(accepted)";
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(result.status().message(), HasSubstr("'" + result.status().param() + "'"));
  EXPECT_FALSE(result.status().reason().empty());
  return result.status().param();
}

std::string RefusedChat(const std::string& members) {
  return Refused(DecodeChatRequest(Chat(members)));
}

std::string RefusedMessages(const std::string& messages) {
  return Refused(DecodeChatRequest(Messages(messages)));
}

const std::vector<ChatMessage>& MessagesOf(const ApiRequest& request) {
  return std::get<std::vector<ChatMessage>>(request.request.prompt);
}

TEST(OpenaiRequestTest, DefaultsAreOpenais) {
  const ApiRequest out = Decoded(DecodeChatRequest(Chat("")));
  EXPECT_EQ(out.kind, ApiKind::kChat);
  EXPECT_EQ(out.request.model, "auto");
  EXPECT_FALSE(out.stream);
  EXPECT_FALSE(out.include_usage);
  EXPECT_FALSE(out.has_seed);
  EXPECT_EQ(out.request.sampling.temperature, 1.0f);
  EXPECT_EQ(out.request.sampling.max_tokens, std::nullopt);
  EXPECT_EQ(out.request.sampling.top_logprobs, -1);
  EXPECT_EQ(Decoded(DecodeCompletionRequest(Completion(""))).request.sampling.max_tokens, 16);
}

TEST(OpenaiRequestTest, ReadsEverySamplingField) {
  const SamplingParams s = ChatSampling(R"("temperature": 0.5, "top_p": 0.9, "top_k": 40,
      "min_p": 0.05, "repetition_penalty": 1.1, "presence_penalty": -1, "frequency_penalty": 2,
      "logit_bias": {"5": -100, "70": 1.5}, "max_tokens": 7, "stop": ["a", "b"], "seed": 42,
      "ignore_eos": true, "logprobs": true, "top_logprobs": 3, "user": "u")");
  EXPECT_EQ(s.temperature, 0.5f);
  EXPECT_EQ(s.top_p, 0.9f);
  EXPECT_EQ(s.top_k, 40);
  EXPECT_EQ(s.min_p, 0.05f);
  EXPECT_EQ(s.repetition_penalty, 1.1f);
  EXPECT_EQ(s.presence_penalty, -1.0f);
  EXPECT_EQ(s.frequency_penalty, 2.0f);
  EXPECT_THAT(s.logit_bias, ElementsAre(Pair(5, -100.0f), Pair(70, 1.5f)));
  EXPECT_EQ(s.max_tokens, 7);
  EXPECT_THAT(s.stop, ElementsAre("a", "b"));
  EXPECT_EQ(s.seed, 42u);
  EXPECT_TRUE(s.ignore_eos);
  EXPECT_EQ(s.top_logprobs, 3);
}

TEST(OpenaiRequestTest, NullIsTheSameAsAbsent) {
  const ApiRequest out = Decoded(DecodeChatRequest(
      Chat(R"("temperature": null, "stop": null, "seed": null, "n": null, "tools": null,
           "logit_bias": null, "max_tokens": null, "stream": null, "stream_options": null,
           "logprobs": null, "top_logprobs": null, "aio": null, "response_format": null)")));
  EXPECT_EQ(out.request.sampling.temperature, 1.0f);
  EXPECT_FALSE(out.has_seed);
}

TEST(OpenaiRequestTest, SamplingFieldsOutOfRangeAreRefusedByName) {
  EXPECT_EQ(RefusedChat(R"("temperature": 2.1)"), "temperature");
  EXPECT_EQ(RefusedChat(R"("temperature": -0.1)"), "temperature");
  EXPECT_EQ(RefusedChat(R"("temperature": 1e300)"), "temperature");
  EXPECT_EQ(RefusedChat(R"("temperature": "hot")"), "temperature");
  EXPECT_EQ(RefusedChat(R"("temperature": true)"), "temperature");
  EXPECT_EQ(RefusedChat(R"("top_p": 0)"), "top_p");
  EXPECT_EQ(RefusedChat(R"("top_p": 1e-300)"), "top_p");  // rounds to 0
  EXPECT_EQ(RefusedChat(R"("top_p": 1.01)"), "top_p");
  EXPECT_EQ(RefusedChat(R"("min_p": 1)"), "min_p");
  EXPECT_EQ(RefusedChat(R"("top_k": -2)"), "top_k");
  EXPECT_EQ(RefusedChat(R"("top_k": 1.5)"), "top_k");
  EXPECT_EQ(RefusedChat(R"("repetition_penalty": 0)"), "repetition_penalty");
  EXPECT_EQ(RefusedChat(R"("repeat_penalty": -1)"), "repeat_penalty");
  EXPECT_EQ(RefusedChat(R"("presence_penalty": 3)"), "presence_penalty");
  EXPECT_EQ(RefusedChat(R"("frequency_penalty": -3)"), "frequency_penalty");
  EXPECT_EQ(RefusedChat(R"("max_tokens": 0)"), "max_tokens");
  EXPECT_EQ(RefusedChat(R"("max_tokens": 99999999999)"), "max_tokens");
  EXPECT_EQ(RefusedChat(R"("max_tokens": 18446744073709551615)"), "max_tokens");
  EXPECT_EQ(RefusedChat(R"("max_tokens": "7")"), "max_tokens");
  EXPECT_EQ(RefusedChat(R"("max_completion_tokens": -5)"), "max_completion_tokens");
}

TEST(OpenaiRequestTest, MessagesOfRefusalsSayWhatToChange) {
  EXPECT_EQ(DecodeChatRequest(Chat(R"("temperature": 3)")).status().message(),
            "Invalid value for 'temperature': 3 is out of range; give a number between 0 and 2.");
  EXPECT_EQ(DecodeChatRequest(Chat(R"("top_p": 0)")).status().message(),
            "Invalid value for 'top_p': 0 is out of range; give a number above 0 and at most 1.");
  EXPECT_EQ(DecodeChatRequest(Chat(R"("stop": 3)")).status().message(),
            "Invalid type for 'stop': expected a string or an array of strings, but got an "
            "integer instead.");
}

TEST(OpenaiRequestTest, TinyTemperaturesAreGreedy) {
  EXPECT_EQ(ChatSampling(R"("temperature": 1e-30)").temperature, 0.0f);
  EXPECT_EQ(ChatSampling(R"("temperature": 0)").temperature, 0.0f);
  EXPECT_EQ(ChatSampling(R"("top_k": -1)").top_k, 0);
}

TEST(OpenaiRequestTest, NewerNamesWin) {
  EXPECT_EQ(ChatSampling(R"("max_tokens": 5, "max_completion_tokens": 6)").max_tokens, 6);
  EXPECT_EQ(ChatSampling(R"("repeat_penalty": 1.25)").repetition_penalty, 1.25f);
  EXPECT_EQ(ChatSampling(R"("repeat_penalty": 1.25, "repetition_penalty": 1.5)").repetition_penalty,
            1.5f);
}

TEST(OpenaiRequestTest, Seeds) {
  EXPECT_EQ(ChatSampling(R"("seed": 18446744073709551615)").seed, ~uint64_t{0});
  EXPECT_EQ(ChatSampling(R"("seed": -1)").seed, ~uint64_t{0});
  EXPECT_EQ(ChatSampling(R"("seed": -7)").seed, uint64_t{0} - 7);
  EXPECT_TRUE(Decoded(DecodeChatRequest(Chat(R"("seed": 0)"))).has_seed);
  EXPECT_EQ(RefusedChat(R"("seed": 1.5)"), "seed");
  EXPECT_EQ(RefusedChat(R"("seed": 18446744073709551616)"), "seed");
  EXPECT_EQ(RefusedChat(R"("seed": "1")"), "seed");
}

TEST(OpenaiRequestTest, Stops) {
  EXPECT_THAT(ChatSampling(R"("stop": "x")").stop, ElementsAre("x"));
  EXPECT_THAT(ChatSampling(R"("stop": [])").stop, IsEmpty());
  EXPECT_EQ(RefusedChat(R"("stop": "")"), "stop");
  EXPECT_EQ(RefusedChat(R"("stop": ["a", ""])"), "stop[1]");
  EXPECT_EQ(RefusedChat(R"("stop": ["a", 1])"), "stop[1]");
  EXPECT_EQ(RefusedChat(R"("stop": ["0","1","2","3","4","5","6","7","8","9","a","b","c","d","e",
                           "f","g"])"),
            "stop");
  EXPECT_EQ(RefusedChat("\"stop\": \"" + std::string(kStopStringBytesMax + 1, 'x') + "\""), "stop");
}

TEST(OpenaiRequestTest, LogitBias) {
  EXPECT_THAT(ChatSampling(R"("logit_bias": {})").logit_bias, IsEmpty());
  EXPECT_EQ(RefusedChat(R"("logit_bias": [])"), "logit_bias");
  EXPECT_EQ(RefusedChat(R"("logit_bias": {"hello": 1})"), "logit_bias");
  EXPECT_EQ(RefusedChat(R"("logit_bias": {"-1": 1})"), "logit_bias");
  EXPECT_EQ(RefusedChat(R"("logit_bias": {"1x": 1})"), "logit_bias");
  EXPECT_EQ(RefusedChat(R"("logit_bias": {"99999999999": 1})"), "logit_bias");
  EXPECT_EQ(RefusedChat(R"("logit_bias": {"1": 101})"), "logit_bias.1");
  EXPECT_EQ(RefusedChat(R"("logit_bias": {"1": "a"})"), "logit_bias.1");
}

TEST(OpenaiRequestTest, Logprobs) {
  EXPECT_EQ(ChatSampling(R"("logprobs": true)").top_logprobs, 0);
  EXPECT_EQ(ChatSampling(R"("logprobs": false)").top_logprobs, -1);
  EXPECT_EQ(ChatSampling(R"("logprobs": false, "top_logprobs": 0)").top_logprobs, -1);
  EXPECT_EQ(RefusedChat(R"("logprobs": 3)"), "logprobs");
  EXPECT_EQ(RefusedChat(R"("top_logprobs": 3)"), "top_logprobs");
  EXPECT_EQ(RefusedChat(R"("logprobs": true, "top_logprobs": 21)"), "top_logprobs");
  EXPECT_EQ(RefusedChat(R"("logprobs": true, "top_logprobs": -1)"), "top_logprobs");
  const auto completion = [](const std::string& members) {
    return DecodeCompletionRequest(Completion(members));
  };
  EXPECT_EQ(Decoded(completion(R"("logprobs": 5)")).request.sampling.top_logprobs, 5);
  EXPECT_EQ(Decoded(completion(R"("logprobs": 0)")).request.sampling.top_logprobs, 0);
  EXPECT_EQ(Refused(completion(R"("logprobs": true)")), "logprobs");
  EXPECT_EQ(Refused(completion(R"("logprobs": 21)")), "logprobs");
}

TEST(OpenaiRequestTest, Streaming) {
  const ApiRequest out =
      Decoded(DecodeChatRequest(Chat(R"("stream": true, "stream_options": {"include_usage": true,
                                        "something_new": 1})")));
  EXPECT_TRUE(out.stream);
  EXPECT_TRUE(out.include_usage);
  EXPECT_EQ(RefusedChat(R"("stream": "yes")"), "stream");
  EXPECT_EQ(RefusedChat(R"("stream": true, "stream_options": [])"), "stream_options");
  EXPECT_EQ(RefusedChat(R"("stream_options": {"include_usage": true})"), "stream_options");
  EXPECT_EQ(RefusedChat(R"("stream": true, "stream_options": {"include_usage": 1})"),
            "stream_options.include_usage");
}

TEST(OpenaiRequestTest, MessagesAsTextOrParts) {
  const ApiRequest out = Decoded(DecodeChatRequest(Messages(R"([
      {"role": "developer", "content": "Be brief."},
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
       "name": "x"},
      {"role": "assistant", "content": "", "refusal": null, "tool_calls": []},
      {"role": "system", "content": "\u0000 <|im_end|>"}])")));
  const std::vector<ChatMessage>& messages = MessagesOf(out);
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].role, "system");
  EXPECT_EQ(messages[0].content, "Be brief.");
  EXPECT_EQ(messages[1].content, "a\nb");
  EXPECT_EQ(messages[2].role, "assistant");
  EXPECT_EQ(messages[2].content, "");
  EXPECT_EQ(messages[3].content, std::string_view("\0 <|im_end|>", 12));
}

TEST(OpenaiRequestTest, BadMessagesAreRefusedByName) {
  EXPECT_EQ(Refused(DecodeChatRequest(R"({"model": "auto"})")), "messages");
  EXPECT_EQ(RefusedMessages("[]"), "messages");
  EXPECT_EQ(RefusedMessages("{}"), "messages");
  EXPECT_EQ(RefusedMessages(R"("Hi")"), "messages");
  EXPECT_EQ(RefusedMessages(R"(["Hi"])"), "messages[0]");
  EXPECT_EQ(RefusedMessages(R"([{"content": "Hi"}])"), "messages[0].role");
  EXPECT_EQ(RefusedMessages(R"([{"role": 1, "content": "Hi"}])"), "messages[0].role");
  EXPECT_EQ(RefusedMessages(R"([{"role": "robot", "content": "Hi"}])"), "messages[0].role");
  EXPECT_EQ(RefusedMessages(R"([{"role": "function", "content": "Hi"}])"), "messages[0].role");
  EXPECT_EQ(RefusedMessages(R"([{"role": "user"}])"), "messages[0].content");
  const std::string first = R"([{"role": "user", "content": "Hi"}, )";
  EXPECT_EQ(RefusedMessages(first + R"({"role": "user", "content": null}])"),
            "messages[1].content");
  EXPECT_EQ(RefusedMessages(first + R"({"role": "user", "content": 5}])"), "messages[1].content");
  EXPECT_EQ(RefusedMessages(first + R"({"role": "user", "content": []}])"), "messages[1].content");
  EXPECT_EQ(RefusedMessages(first + R"({"role": "user", "content": ["x"]}])"),
            "messages[1].content[0]");
  EXPECT_EQ(RefusedMessages(first + R"({"role": "user", "content": [{"type": "text"}]}])"),
            "messages[1].content[0].text");
  EXPECT_EQ(RefusedMessages(first + R"({"role": "user", "content": [{"text": "x"}]}])"),
            "messages[1].content[0].type");
  EXPECT_EQ(RefusedMessages(first + R"({"role": "assistant", "content": null,
                                        "tool_calls": [{"id": "1"}]}])"),
            "messages[1].tool_calls[0].function");
}

TEST(OpenaiRequestTest, ToolsAndTheirCalls) {
  const std::string tools =
      R"([{"type": "function", "function": {"name": "f", "parameters": {"z": 1, "a": 2}}}])";
  const ApiRequest out = Decoded(DecodeChatRequest(R"({"messages": [
      {"role": "user", "content": "U"},
      {"role": "assistant", "content": null, "tool_calls": [
          {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"z\": 1}"}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "T"}], "tools": )" +
                                                   tools + R"(, "tool_choice": "auto"})"));
  EXPECT_EQ(out.request.tools, tools) << "as they are written: their order says something";
  const std::vector<ChatMessage>& messages = MessagesOf(out);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1].content, "");
  EXPECT_EQ(messages[1].tool_calls, (std::vector<ToolCall>{{"c1", "f", R"({"z": 1})"}}));
  EXPECT_EQ(messages[2].role, "tool");
  EXPECT_EQ(messages[2].tool_call_id, "c1");

  EXPECT_EQ(Decoded(DecodeChatRequest(Chat(R"("tools": )" + tools + R"(, "tool_choice": "none")")))
                .request.tools,
            "");
  const auto refused = [](const std::string& members) {
    return Refused(DecodeChatRequest(Chat(members)));
  };
  EXPECT_EQ(refused(R"("tools": {})"), "tools");
  EXPECT_EQ(refused(R"("tools": [1])"), "tools[0]");
  EXPECT_EQ(refused(R"("tools": [{"type": "web_search"}])"), "tools[0].type");
  EXPECT_EQ(refused(R"("tools": [{"type": "function"}])"), "tools[0].function");
  EXPECT_EQ(refused(R"("tools": [{"type": "function", "function": {"name": ""}}])"),
            "tools[0].function.name");
  EXPECT_EQ(refused(R"("tools": [{"function": {"name": "f", "parameters": []}}])"),
            "tools[0].function.parameters");
  EXPECT_EQ(refused(R"("tool_choice": "auto")"), "tool_choice");
  EXPECT_EQ(RefusedMessages(R"([{"role": "user", "content": "U"}, {"role": "assistant",
                "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}])"),
            "messages[1].tool_calls[0].function.arguments");
}

TEST(OpenaiRequestTest, ImagePartsAreRefusedByName) {
  const Result<ApiRequest> result = DecodeChatRequest(Messages(
      R"([{"role": "user", "content": [{"type": "text", "text": "What is this?"},
          {"type": "image_url", "image_url": {"url": "data:"}}]}])"));
  EXPECT_EQ(Refused(result), "messages[0].content[1].type");
  EXPECT_THAT(result.status().message(), HasSubstr("'image_url' parts are not supported"));
}

TEST(OpenaiRequestTest, Prompts) {
  const auto prompt = [](const std::string& value) {
    return DecodeCompletionRequest(R"({"model": "auto", "prompt": )" + value + "}");
  };
  EXPECT_EQ(std::get<std::string>(Decoded(prompt(R"("x")")).request.prompt), "x");
  EXPECT_EQ(std::get<std::string>(Decoded(prompt(R"(["x"])")).request.prompt), "x");
  EXPECT_THAT(std::get<std::vector<int32_t>>(Decoded(prompt("[1, 2]")).request.prompt),
              ElementsAre(1, 2));
  EXPECT_THAT(std::get<std::vector<int32_t>>(Decoded(prompt("[[3]]")).request.prompt),
              ElementsAre(3));
  EXPECT_EQ(Refused(prompt(R"(["x", "y"])")), "prompt");
  EXPECT_EQ(Refused(prompt("[[1], [2]]")), "prompt");
  EXPECT_EQ(Refused(prompt("[]")), "prompt");
  EXPECT_EQ(Refused(prompt("[[]]")), "prompt[0]");
  EXPECT_EQ(Refused(prompt("{}")), "prompt");
  EXPECT_EQ(Refused(prompt("5")), "prompt");
  EXPECT_EQ(Refused(prompt("null")), "prompt");
  EXPECT_EQ(Refused(prompt("[1, -2]")), "prompt[1]");
  EXPECT_EQ(Refused(prompt("[1, 2.5]")), "prompt[1]");
  EXPECT_EQ(Refused(prompt(R"([1, "x"])")), "prompt[1]");
  EXPECT_EQ(Refused(prompt("[4294967296]")), "prompt[0]");
}

TEST(OpenaiRequestTest, ModelIsAutoUnlessNamed) {
  constexpr char kUnnamed[] = R"({"messages": [{"role": "user", "content": "Hi"}]})";
  EXPECT_EQ(Decoded(DecodeChatRequest(kUnnamed)).request.model, "auto");
  EXPECT_EQ(Refused(DecodeChatRequest(R"({"model": 1})")), "model");
  EXPECT_EQ(Refused(DecodeChatRequest(R"({"model": ""})")), "model");
}

TEST(OpenaiRequestTest, UnknownFieldsAreIgnored) {
  Decoded(DecodeChatRequest(Chat(R"("brand_new": {"x": [1]}, "store": true, "metadata": {})")));
}

TEST(OpenaiRequestTest, HarmlessDefaultsAreAccepted) {
  Decoded(DecodeChatRequest(Chat(R"("n": 1, "best_of": 1, "tools": [], "tool_choice": "none",
      "functions": [], "function_call": "none", "response_format": {"type": "text"},
      "modalities": ["text"], "logit_bias": {}, "min_tokens": 0, "stop_token_ids": [],
      "use_beam_search": false)")));
  Decoded(DecodeCompletionRequest(Completion(R"("n": 1, "best_of": 1, "echo": false, "suffix": ""
      )")));
}

// The only one that must not be there.
VendorField OnlyVendorField(const Result<ApiRequest>& decoded) {
  if (!decoded.ok()) {
    ADD_FAILURE() << decoded.status().ToString();
    return {};
  }
  EXPECT_EQ(decoded->request.vendor_fields.size(), 1u);
  return decoded->request.vendor_fields.empty() ? VendorField{} : decoded->request.vendor_fields[0];
}

TEST(OpenaiRequestTest, FieldsThatChangeTheAnswerGoToTheBackendWithAMend) {
  for (const char* member :
       {R"("tool_choice": {"type": "function"}, "tools": [])", R"("functions": [{}])",
        R"("function_call": "auto")", R"("audio": {})", R"("modalities": ["text", "audio"])",
        R"("web_search_options": {})", R"("prompt_logprobs": 1)", R"("min_tokens": 4)",
        R"("stop_token_ids": [1])", R"("use_beam_search": true)"}) {
    const std::string text = member;
    const std::string name = text.substr(1, text.find('"', 1) - 1);
    const VendorField field = OnlyVendorField(DecodeChatRequest(Chat(text)));
    EXPECT_EQ(field.name, name);
    EXPECT_FALSE(field.mend.empty()) << name;
  }
  EXPECT_EQ(Refused(DecodeChatRequest(Chat(R"("best_of": 3)"))), "best_of");
  EXPECT_EQ(OnlyVendorField(DecodeCompletionRequest(Completion(R"("echo": true)"))).name, "echo");
  EXPECT_EQ(OnlyVendorField(DecodeCompletionRequest(Completion(R"("suffix": "x")"))).json,
            R"("x")");
}

TEST(OpenaiRequestTest, UnknownFieldsGoToTheBackendAsTheyWereWritten) {
  const VendorField field = OnlyVendorField(
      DecodeChatRequest(Chat(R"("chat_template_kwargs": {"z": 1.50,  "a": [true]})")));
  EXPECT_EQ(field.name, "chat_template_kwargs");
  EXPECT_EQ(field.json, R"({"z": 1.50,  "a": [true]})");
  EXPECT_TRUE(field.mend.empty());
  EXPECT_EQ(Refused(DecodeChatRequest(Chat(R"("Stream": false)"))), "Stream")
      << "some engines do not mind the case";
  EXPECT_EQ(Refused(DecodeChatRequest(Chat("\"\xc5\xbftream\": false"))), "\xc5\xbftream")
      << "Go's JSON takes U+017F for an s";
  EXPECT_EQ(Refused(DecodeCompletionRequest(Completion("\"to\xe2\x84\xaa\": 1"))),
            "to\xe2\x84\xaa");
  std::string many;
  for (int i = 0; i < 33; ++i) many += (i > 0 ? ", " : "") + ("\"x" + std::to_string(i) + "\": 1");
  EXPECT_FALSE(DecodeChatRequest(Chat(many)).ok());
}

TEST(OpenaiRequestTest, Overrides) {
  const Request by_name = Decoded(DecodeChatRequest(Chat(R"("aio": {"strategy": "prompt_lookup",
                                        "entropy_threshold": 0.25, "model": "pocket"})")))
                              .request;
  EXPECT_EQ(by_name.strategy, DefaultStrategy(StrategyKind::kPromptLookup));
  EXPECT_EQ(by_name.entropy_threshold, 0.25);
  EXPECT_EQ(by_name.model, "pocket");
  const Request by_object =
      Decoded(DecodeChatRequest(Chat(R"("aio": {"strategy": {"kind": "prompt_lookup",
                                        "prompt_lookup_max": 16, "prompt_lookup_min": 2, "num_speculative_tokens": 16}})")))
          .request;
  EXPECT_EQ(by_object.strategy, (Strategy{StrategyKind::kPromptLookup, 16, 2, 16}));
  EXPECT_EQ(by_object.entropy_threshold, std::nullopt);
  EXPECT_EQ(by_object.model, "auto");
}

TEST(OpenaiRequestTest, BadOverridesAreRefusedByName) {
  EXPECT_EQ(RefusedChat(R"("aio": 1)"), "aio");
  EXPECT_EQ(RefusedChat(R"("aio": {"stratgy": "plain"})"), "aio.stratgy");
  EXPECT_EQ(RefusedChat(R"("aio": {"strategy": "fast"})"), "aio.strategy");
  EXPECT_EQ(RefusedChat(R"("aio": {"strategy": []})"), "aio.strategy");
  EXPECT_EQ(RefusedChat(R"("aio": {"strategy": {}})"), "aio.strategy.kind");
  EXPECT_EQ(RefusedChat(R"("aio": {"strategy": {"kind": "fast"}})"), "aio.strategy.kind");
  const auto lookup = [](const std::string& member) {
    return RefusedChat(R"("aio": {"strategy": {"kind": "prompt_lookup", )" + member + "}}");
  };
  EXPECT_EQ(lookup(R"("prompt_lookup_max": 0)"), "aio.strategy.prompt_lookup_max");
  EXPECT_EQ(lookup(R"("prompt_lookup_max": 65)"), "aio.strategy.prompt_lookup_max");
  EXPECT_EQ(lookup(R"("prompt_lookup_max": 2, "prompt_lookup_min": 3)"),
            "aio.strategy.prompt_lookup_min");
  EXPECT_EQ(lookup(R"("num_speculative_tokens": 17)"), "aio.strategy.num_speculative_tokens");
  EXPECT_EQ(lookup(R"("lookahed": 4)"), "aio.strategy.lookahed");
  EXPECT_EQ(RefusedChat(R"("aio": {"entropy_threshold": -1})"), "aio.entropy_threshold");
  EXPECT_EQ(RefusedChat(R"("aio": {"entropy_threshold": "low"})"), "aio.entropy_threshold");
  EXPECT_EQ(RefusedChat(R"("aio": {"model": 5})"), "aio.model");
  EXPECT_EQ(RefusedChat(R"("aio": {"weights": "w4"})"), "aio.weights");
  EXPECT_EQ(RefusedChat(R"("aio": {"weights": 8})"), "aio.weights");
}

TEST(OpenaiRequestTest, Weights) {
  const auto weights = [](const std::string& aio) {
    return Decoded(DecodeChatRequest(Chat("\"aio\": " + aio))).request.weights;
  };
  EXPECT_EQ(weights(R"({"weights": "w8a16"})"), kW8A16);
  EXPECT_EQ(weights(R"({"weights": ""})"), "");
  EXPECT_EQ(weights(R"({"weights": null})"), std::nullopt);
  EXPECT_EQ(weights("{}"), std::nullopt);
}

TEST(OpenaiRequestTest, StrategiesByNameAndByParameters) {
  for (const char* name :
       {"plain", "prompt_lookup", "prompt_lookup_paper", "draft_model", "auto"}) {
    const std::string quoted = "\"" + std::string(name) + "\"";
    EXPECT_EQ(StrategyOf("\"aio\": {\"strategy\": " + quoted + "}"), StrategyFromName(name));
    EXPECT_EQ(StrategyOf("\"aio\": {\"strategy\": {\"kind\": " + quoted + "}}"),
              StrategyFromName(name));
  }
  EXPECT_EQ(StrategyOf(R"("aio": {"strategy": {"kind": "draft_model",
                                               "num_speculative_tokens": 7}})")
                ->num_speculative_tokens,
            7);
  const std::optional<Strategy> any = StrategyOf(R"("aio": {"strategy": {"kind": "auto",
      "prompt_lookup_max": 4, "prompt_lookup_min": 2, "num_speculative_tokens": 5}})");
  EXPECT_EQ(any, (Strategy{StrategyKind::kAuto, 4, 2, 5}));
  EXPECT_EQ(StrategyOf(R"("aio": {"strategy": {"kind": "plain", "prompt_lookup_max": null}})"),
            Strategy{});
}

TEST(OpenaiRequestTest, StrategiesTakeOnlyTheirOwnParameters) {
  const auto refused = [](const std::string& kind, const std::string& name) {
    return RefusedChat(R"("aio": {"strategy": {"kind": ")" + kind + R"(", ")" + name + R"(": 1}})");
  };
  for (const char* kind : {"plain", "draft_model"}) {
    EXPECT_EQ(refused(kind, "prompt_lookup_max"), "aio.strategy.prompt_lookup_max");
    EXPECT_EQ(refused(kind, "prompt_lookup_min"), "aio.strategy.prompt_lookup_min");
  }
  EXPECT_EQ(refused("plain", "num_speculative_tokens"), "aio.strategy.num_speculative_tokens");
  EXPECT_EQ(refused("draft_model", "num_speculative_tokens"), "(accepted)");
}

TEST(OpenaiRequestTest, StrategiesByOtherServersNames) {
  const auto with = [](StrategyKind kind, int guesses) {
    Strategy strategy = DefaultStrategy(kind);
    strategy.num_speculative_tokens = guesses;
    return strategy;
  };
  EXPECT_EQ(StrategyOf(""), std::nullopt);
  EXPECT_EQ(StrategyOf(R"("prompt_lookup_num_tokens": 10)"), with(StrategyKind::kPromptLookup, 10));
  for (const char* name : {R"("num_speculative_tokens": )", R"("speculative.n_max": )",
                           R"("speculative": {"n_min": 1, "n_max": )"}) {
    const std::string member = name;
    const std::string end = member.find('{') == std::string::npos ? "" : "}";
    EXPECT_EQ(StrategyOf(member + "1" + end), with(StrategyKind::kAuto, 1));
    EXPECT_EQ(StrategyOf(member + "16" + end), with(StrategyKind::kAuto, 16));
    EXPECT_EQ(StrategyOf(member + "0" + end), Strategy{});
    EXPECT_EQ(StrategyOf(member + "null" + end), std::nullopt);
    EXPECT_EQ(StrategyOf(R"("aio": {"strategy": "draft_model"}, )" + member + "3" + end),
              with(StrategyKind::kDraftModel, 3));
  }
  EXPECT_EQ(StrategyOf(R"("prompt_lookup_num_tokens": 0)"), Strategy{});
  EXPECT_EQ(StrategyOf(R"("prompt_lookup_num_tokens": null)"), std::nullopt);
  EXPECT_EQ(StrategyOf(R"("disable_spec_decode": true)"), Strategy{});
  EXPECT_EQ(StrategyOf(R"("disable_spec_decode": false)"), std::nullopt);
  EXPECT_EQ(StrategyOf(R"("disable_spec_decode": null)"), std::nullopt);
  EXPECT_EQ(StrategyOf(R"("speculative": {})"), std::nullopt);
}

TEST(OpenaiRequestTest, StrategiesSaidTwiceMayAgree) {
  EXPECT_EQ(StrategyOf(R"("num_speculative_tokens": 5, "speculative.n_max": 5,
                          "speculative": {"n_max": 5}, "prompt_lookup_num_tokens": 5,
                          "disable_spec_decode": false, "aio": {"strategy":
                          {"kind": "prompt_lookup", "prompt_lookup_max": 3,
                           "num_speculative_tokens": 5}})"),
            (Strategy{StrategyKind::kPromptLookup, 3, 1, 5}));
  EXPECT_EQ(StrategyOf(R"("prompt_lookup_num_tokens": 5, "num_speculative_tokens": 5)")->kind,
            StrategyKind::kPromptLookup);
  // A number for those that come without: the preset's own is one of its name, not of the body.
  EXPECT_EQ(StrategyOf(R"("num_speculative_tokens": 9, "aio": {"strategy": {"kind":
                          "prompt_lookup_paper", "prompt_lookup_max": 3}})"),
            (Strategy{StrategyKind::kPromptLookup, 3, 1, 9}));
  EXPECT_EQ(StrategyOf(R"("aio": {"strategy": "plain"}, "disable_spec_decode": true,
                          "num_speculative_tokens": 0, "speculative.n_max": 0,
                          "prompt_lookup_num_tokens": 0)"),
            Strategy{});
}

TEST(OpenaiRequestTest, ContradictingStrategiesAreRefusedByBothNames) {
  struct Case {
    const char* members;
    const char* param;
    const char* other;
  };
  constexpr char kFlat[] = "speculative.n_max";
  constexpr char kSwitch[] = "disable_spec_decode";
  constexpr char kLookup[] = "prompt_lookup_num_tokens";
  constexpr char kNumber[] = "num_speculative_tokens";
  for (const Case& c : {
           Case{R"("disable_spec_decode": true, "aio": {"strategy": "auto"})", kSwitch,
                "aio.strategy"},
           Case{R"("disable_spec_decode": true, "aio": {"strategy": {"kind": "draft_model"}})",
                kSwitch, "aio.strategy.kind"},
           Case{R"("disable_spec_decode": true, "num_speculative_tokens": 4)", kSwitch, kNumber},
           Case{R"("disable_spec_decode": true, "prompt_lookup_num_tokens": 4)", kSwitch, kLookup},
           Case{R"("disable_spec_decode": true, "speculative.n_max": 4)", kSwitch, kFlat},
           Case{R"("disable_spec_decode": true, "speculative": {"n_max": 4})", kSwitch,
                "speculative"},
           Case{R"("num_speculative_tokens": 4, "aio": {"strategy": "plain"})", kNumber,
                "aio.strategy"},
           Case{R"("num_speculative_tokens": 0, "aio": {"strategy": "prompt_lookup"})", kNumber,
                "aio.strategy"},
           Case{R"("num_speculative_tokens": 4, "aio": {"strategy": {"kind": "auto",
                   "num_speculative_tokens": 5}})",
                kNumber, "aio.strategy.num_speculative_tokens"},
           Case{R"("prompt_lookup_num_tokens": 4, "aio": {"strategy": "draft_model"})", kLookup,
                "aio.strategy"},
           Case{R"("prompt_lookup_num_tokens": 4, "aio": {"strategy": "plain"})", kLookup,
                "aio.strategy"},
           Case{R"("prompt_lookup_num_tokens": 4, "num_speculative_tokens": 5)", kNumber, kLookup},
           Case{R"("prompt_lookup_num_tokens": 0, "num_speculative_tokens": 5)", kNumber, kLookup},
           Case{R"("num_speculative_tokens": 4, "speculative.n_max": 5)", kFlat, kNumber},
           Case{R"("num_speculative_tokens": 4, "speculative": {"n_max": 0})", "speculative",
                kNumber},
           Case{R"("speculative": {"n_max": 4}, "speculative.n_max": 5)", kFlat, "speculative"},
       }) {
    const Result<ApiRequest> result = DecodeChatRequest(Chat(c.members));
    EXPECT_EQ(Refused(result), c.param) << c.members;
    EXPECT_THAT(result.status().message(), HasSubstr("'" + std::string(c.other) + "'"));
    EXPECT_THAT(result.status().message(), HasSubstr("remove one of the two"));
  }
  EXPECT_EQ(DecodeChatRequest(Chat(R"("num_speculative_tokens": 4, "aio": {"strategy": "plain"})"))
                .status()
                .message(),
            "Invalid value for 'num_speculative_tokens': 4 contradicts 'aio.strategy', which is "
            "\"plain\"; remove one of the two.");
}

TEST(OpenaiRequestTest, BadNumbersOfGuessesAreRefusedByName) {
  for (const std::string name :
       {"prompt_lookup_num_tokens", "num_speculative_tokens", "speculative.n_max"}) {
    for (const char* value : {"-1", "17", "3.5", "4.0", "\"4\"", "true", "[4]", "{}", "1e300",
                              "2147483648", "9223372036854775808", "-9223372036854775808"}) {
      EXPECT_EQ(RefusedChat("\"" + name + "\": " + value), name) << value;
    }
    EXPECT_THAT(DecodeChatRequest(Chat("\"" + name + "\": 32")).status().message(),
                HasSubstr("give an integer between 0 and 16"));
  }
  EXPECT_EQ(RefusedChat(R"("speculative": {"n_max": 17})"), "speculative.n_max");
  EXPECT_EQ(RefusedChat(R"("speculative": {"n_max": "4"})"), "speculative.n_max");
  EXPECT_EQ(RefusedChat(R"("speculative": 4)"), "speculative");
  EXPECT_EQ(RefusedChat(R"("disable_spec_decode": 1)"), "disable_spec_decode");
  EXPECT_EQ(RefusedChat(R"("disable_spec_decode": "true")"), "disable_spec_decode");
  for (const char* value : {"0", "-1", "17", "2.5", "\"4\"", "18446744073709551615"}) {
    const std::string end = std::string(value) + "}}";
    EXPECT_EQ(
        RefusedChat(R"("aio": {"strategy": {"kind": "auto", "num_speculative_tokens": )" + end),
        "aio.strategy.num_speculative_tokens");
    EXPECT_EQ(RefusedChat(R"("aio": {"strategy": {"kind": "auto", "prompt_lookup_max": )" + end),
              "aio.strategy.prompt_lookup_max");
  }
}

TEST(OpenaiRequestTest, SeveralChoices) {
  EXPECT_EQ(Decoded(DecodeChatRequest(Chat(""))).choices, 1);
  EXPECT_EQ(Decoded(DecodeChatRequest(Chat(R"("n": 3)"))).choices, 3);
  EXPECT_EQ(Decoded(DecodeCompletionRequest(Completion(R"("n": 2, "best_of": 2)"))).choices, 2);
  EXPECT_EQ(Refused(DecodeCompletionRequest(Completion(R"("n": 2, "best_of": 3)"))), "best_of");
  EXPECT_EQ(RefusedChat(R"("n": 129)"), "n");
  EXPECT_EQ(RefusedChat(R"("n": "2")"), "n");
}

TEST(OpenaiRequestTest, DecisionTakesEitherBody) {
  EXPECT_EQ(Decoded(DecodeDecisionRequest(Chat(""))).kind, ApiKind::kChat);
  EXPECT_EQ(Decoded(DecodeDecisionRequest(Completion(""))).kind, ApiKind::kCompletion);
  EXPECT_EQ(Refused(DecodeDecisionRequest(Chat(R"("prompt": "x")"))), "prompt");
  EXPECT_EQ(Refused(DecodeDecisionRequest(R"({"model": "auto"})")), "messages");
}

}  // namespace
}  // namespace aio
