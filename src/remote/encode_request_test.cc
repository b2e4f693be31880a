#include "remote/encode_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace aio {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

Request Ask(std::vector<VendorField> fields = {}) {
  Request request;
  request.prompt = std::vector<ChatMessage>{{.role = "user", .content = "hi"}};
  request.vendor_fields = std::move(fields);
  return request;
}

Result<EncodedRequest> EncodeFor(std::string_view engine, const Request& request) {
  return EncodeRequest(request, "served", *FindEngineProfile(engine));
}

Json Sent(std::string_view engine, const Request& request) {
  const Result<EncodedRequest> encoded = EncodeFor(engine, request);
  EXPECT_TRUE(encoded.ok()) << encoded.status().ToString();
  return encoded.ok() ? Json::parse(encoded->body) : Json();
}

// What the request is refused for; empty: it is not.
std::string RefusedFor(std::string_view engine, VendorField field, StatusCode code) {
  const Status status = EncodeFor(engine, Ask({std::move(field)})).status();
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), code) << status.ToString();
  return status.param();
}

constexpr const char* kEngines[] = {"vllm",         "vllm-ascend", "sglang", "mindie",
                                    "llama-server", "ollama",      "openai", "aio"};

TEST(EncodeRequest, NoFieldOfAClientPutsAnotherPromptInThePlaceOfTheRoutedOne) {
  for (const char* engine : kEngines) {
    for (const char* name :
         {"input_ids", "prompt_embeds", "input_embeds", "chat_template", "documents", "messages",
          "prompt", "image_data", "generation_prompt", "Input_IDs"}) {
      EXPECT_EQ(RefusedFor(engine, {name, "[1]", ""}, StatusCode::kInvalidArgument), name)
          << engine;
    }
  }
}

TEST(EncodeRequest, NorReachesOtherSessionsHostsOrCode) {
  for (const char* name : {"request_id",
                           "rid",
                           "session_id",
                           "session_params",
                           "cache_salt",
                           "extra_key",
                           "kv_transfer_params",
                           "ec_transfer_params",
                           "bootstrap_host",
                           "routed_dp_rank",
                           "disagg_prefill_dp_rank",
                           "lora_path",
                           "id_slot",
                           "custom_logit_processor",
                           "custom_params",
                           "logits_processors",
                           "vllm_xargs",
                           "ngram_corpus_id",
                           "custom_labels",
                           "n_predict",
                           "N_Predict",
                           "stream_interval",
                           "return_hidden_states"}) {
    EXPECT_EQ(RefusedFor("vllm", {name, "1", ""}, StatusCode::kInvalidArgument), name);
  }
}

TEST(EncodeRequest, ArgumentsOfTemplatesAreNoWayRound) {
  for (const char* name : {"chat_template", "messages", "tools", "conversation", "documents"}) {
    EXPECT_EQ(
        RefusedFor("sglang", {"chat_template_kwargs", "{\"" + std::string(name) + "\": \"x\"}", ""},
                   StatusCode::kInvalidArgument),
        "chat_template_kwargs." + std::string(name));
  }
  const Json sent =
      Sent("sglang", Ask({{"chat_template_kwargs", R"({"enable_thinking": false})", ""}}));
  EXPECT_EQ(sent["chat_template_kwargs"]["enable_thinking"], false);
}

TEST(EncodeRequest, WhatOnlyShapesTheAnswerIsPassedOn) {
  const Json sent = Sent("vllm", Ask({{"bad_words", R"(["x"])", ""},
                                      {"reasoning_effort", R"("low")", ""},
                                      {"thinking_token_budget", "7", ""},
                                      {"user", R"("u1")", ""}}));
  EXPECT_EQ(sent["bad_words"][0], "x");
  EXPECT_EQ(sent["reasoning_effort"], "low");
  EXPECT_EQ(sent["thinking_token_budget"], 7);
  EXPECT_EQ(sent["user"], "u1");
}

TEST(EncodeRequest, WhatTheOperatorPaysAndKeepsIsLeftOut) {
  const Json sent = Sent("openai", Ask({{"store", "true", ""},
                                        {"metadata", R"({"a": "b"})", ""},
                                        {"service_tier", R"("priority")", ""},
                                        {"verbosity", R"("low")", ""}}));
  EXPECT_FALSE(sent.contains("store") || sent.contains("metadata") ||
               sent.contains("service_tier"));
  EXPECT_EQ(sent["verbosity"], "low");
}

TEST(EncodeRequest, AFieldThatChangesTheAnswerGoesOnlyToEnginesThatKnowIt) {
  const std::string mend = "Leave it out.";
  const VendorField required{"tool_choice", R"("required")", mend};
  const VendorField by_name{"tool_choice", R"({"function": {"name": "f"}})", mend};
  const VendorField min_tokens{"min_tokens", "4", mend};
  const VendorField stop_ids{"stop_token_ids", "[2]", mend};
  const VendorField suffix{"suffix", R"("}")", mend};
  const VendorField functions{"functions", "[{}]", mend};
  const auto refused = [](const char* engine, const VendorField& field) {
    return RefusedFor(engine, field, StatusCode::kUnimplemented) == field.name;
  };
  for (const char* engine : {"vllm", "sglang", "aio"}) {
    EXPECT_FALSE(refused(engine, required) || refused(engine, by_name)) << engine;
    EXPECT_FALSE(refused(engine, min_tokens) || refused(engine, stop_ids)) << engine;
  }
  EXPECT_FALSE(refused("llama-server", required));
  EXPECT_TRUE(refused("llama-server", by_name)) << "it takes an object for \"auto\"";
  EXPECT_TRUE(refused("llama-server", min_tokens) && refused("llama-server", stop_ids));
  EXPECT_TRUE(refused("mindie", min_tokens));
  EXPECT_FALSE(refused("mindie", stop_ids) || refused("mindie", by_name));
  EXPECT_TRUE(refused("ollama", required) && refused("ollama", min_tokens));
  EXPECT_FALSE(refused("ollama", suffix) || refused("openai", suffix));
  EXPECT_TRUE(refused("openai", functions)) << "the answer's calls would not be seen";
  const Status status = EncodeFor("ollama", Ask({required})).status();
  EXPECT_THAT(status.message(), HasSubstr("(ollama) does not do as 'tool_choice' says. Leave it"));
}

TEST(EncodeRequest, OpenAisModelsAreToldATemperatureOnlyWhereItIsNotTheirs) {
  Request request = Ask();
  EXPECT_FALSE(Sent("openai", request).contains("temperature")) << "o-series models refuse it";
  EXPECT_FALSE(Sent("openai", request).contains("top_p"));
  EXPECT_EQ(Sent("vllm", request)["temperature"], 1);
  request.sampling.temperature = 0.5;
  request.sampling.top_p = 0.25;
  EXPECT_EQ(Sent("openai", request)["temperature"], 0.5);
  EXPECT_EQ(Sent("openai", request)["top_p"], 0.25);
}

}  // namespace
}  // namespace aio
