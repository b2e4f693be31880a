#include "remote/encode_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "backend/tool_call_json.h"
#include "base/json_writer.h"

namespace aio {
namespace {

using Json = nlohmann::json;

std::string ToText(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

void WriteMessage(const ChatMessage& message, JsonWriter& json) {
  json.BeginObject();
  json.Member("role", message.role);
  json.Member("content", message.content);
  if (!message.tool_call_id.empty()) json.Member("tool_call_id", message.tool_call_id);
  if (!message.tool_calls.empty()) {
    json.Key("tool_calls");
    json.BeginArray();
    for (const ToolCall& call : message.tool_calls) WriteToolCall(call, std::nullopt, json);
    json.EndArray();
  }
  json.EndObject();
}

// Fields of no client, whichever engine has them: docs/engines.md says of which each is.
constexpr std::string_view kOperatorsFields[] = {
    // Another prompt than the one that was routed and counted, or more of it.
    "messages", "prompt", "input", "inputs", "conversation", "system", "template", "raw", "context",
    "chat_template", "documents", "input_ids", "prompt_token_ids", "input_embeds", "prompt_embeds",
    "images", "image_data", "video_data", "audio_data", "multimodal_data", "mm_processor_kwargs",
    "media_io_kwargs", "generation_prompt", "message_spans", "message_delimiters", "tokenize",
    "return_dict",
    // Past this server's limits, or so that an answer cannot be followed.
    "n_predict", "num_predict", "n_cmpl", "n_probs", "options", "num_ctx", "stream_interval",
    "sse_ping_interval", "response_fields", "return_hidden_states", "return_routed_experts",
    "_debug_render_only",
    // Other sessions, hosts, slots and weights; what the operator pays, keeps or counts by.
    "id_slot", "rid", "request_id", "session_id", "session_params", "cache_salt", "extra_key",
    "kv_transfer_params", "ec_transfer_params", "bootstrap_host", "bootstrap_port",
    "bootstrap_room", "bootstrap_pair_key", "data_parallel_rank", "routed_dp_rank",
    "disagg_prefill_dp_rank", "lora", "lora_path", "lora_request", "ngram_corpus_id",
    "custom_labels", "keep_alive",
    // Code, or what the engine's own parts tell one another.
    "logits_processors", "custom_logit_processor", "custom_params", "vllm_xargs", "chat_parser",
    "chat_format", "grammar_type"};

// Whose account it is chooses these; the answer is the same without them.
constexpr std::string_view kDroppedFields[] = {"store", "metadata", "service_tier"};

bool IsDropped(std::string_view name) {
  return std::find(std::begin(kDroppedFields), std::end(kDroppedFields), name) !=
         std::end(kDroppedFields);
}

// Some engines do not mind the case.
bool IsOperatorsField(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(std::begin(kOperatorsFields), std::end(kOperatorsFields), name) !=
         std::end(kOperatorsFields);
}

Status NotAClients(const std::string& name) {
  return InvalidArgument(fmt::format("'{}' is not a client's to choose; leave it out", name))
      .WithParam(name);
}

// Some engines give them to the template in place of what they have themselves.
Status CheckTemplateArguments(const VendorField& field) {
  const Json arguments = Json::parse(field.json, nullptr, /*allow_exceptions=*/false);
  if (!arguments.is_object()) return Status::Ok();
  for (const auto& [name, value] : arguments.items()) {
    if (name == "tools" || IsOperatorsField(name)) return NotAClients(field.name + "." + name);
  }
  return Status::Ok();
}

// Fields that change an answer, where only some engines know them.
struct KnownField {
  std::string_view name;
  bool EngineProfile::*is_known;
};
constexpr KnownField kKnownFields[] = {{"min_tokens", &EngineProfile::min_tokens},
                                       {"stop_token_ids", &EngineProfile::stop_token_ids},
                                       {"echo", &EngineProfile::echo},
                                       {"suffix", &EngineProfile::suffix},
                                       {"web_search_options", &EngineProfile::web_search_options}};

bool IsKnown(const VendorField& field, const EngineProfile& profile) {
  if (profile.refuses_itself) return true;
  if (field.name == "tool_choice") {
    return field.json.starts_with('{') ? profile.tool_choice_by_name : profile.tool_choice;
  }
  for (const KnownField& known : kKnownFields) {
    if (field.name == known.name) return profile.*known.is_known;
  }
  return false;
}

class RequestEncoder {
 public:
  RequestEncoder(const Request& request, const EngineProfile& profile)
      : request_(request), sampling_(request.sampling), profile_(profile) {}

  Result<EncodedRequest> Encode(std::string_view model) {
    body_.BeginObject();
    body_.Member("model", model);
    AIO_RETURN_IF_ERROR(AddPrompt());
    body_.Member("stream", true);
    body_.RawMember("stream_options", R"({"include_usage":true})");
    AIO_RETURN_IF_ERROR(AddSampling());
    AIO_RETURN_IF_ERROR(AddLogprobs());
    AIO_RETURN_IF_ERROR(AddFormat());
    AddStrategy();
    if (!request_.tools.empty()) body_.RawMember("tools", request_.tools);
    AIO_RETURN_IF_ERROR(AddVendorFields());
    body_.EndObject();
    return EncodedRequest{.path = is_chat_ ? "/v1/chat/completions" : "/v1/completions",
                          .body = body_.Take()};
  }

 private:
  Status Lacks(std::string_view what, std::string param) const {
    return Unimplemented(fmt::format("the engine that serves this model ({}) has no {}; leave it "
                                     "out, or ask another model",
                                     profile_.name, what))
        .WithParam(std::move(param));
  }

  void AddJson(std::string_view name, const Json& value) { body_.RawMember(name, ToText(value)); }

  Status AddVendorFields() {
    for (const VendorField& field : request_.vendor_fields) {
      if (IsDropped(field.name)) continue;
      if (IsOperatorsField(field.name)) return NotAClients(field.name);
      if (field.name == "chat_template_kwargs") AIO_RETURN_IF_ERROR(CheckTemplateArguments(field));
      if (!field.mend.empty() && !IsKnown(field, profile_)) {
        return Unimplemented(fmt::format("the engine that serves this model ({}) does not do as "
                                         "'{}' says. {}",
                                         profile_.name, field.name, field.mend))
            .WithParam(field.name);
      }
      body_.RawMember(field.name, field.json);
    }
    return Status::Ok();
  }

  Status AddPrompt() {
    if (const auto* chat = std::get_if<std::vector<ChatMessage>>(&request_.prompt)) {
      body_.Key("messages");
      body_.BeginArray();
      for (const ChatMessage& message : *chat) WriteMessage(message, body_);
      body_.EndArray();
      return Status::Ok();
    }
    is_chat_ = false;
    if (const auto* text = std::get_if<std::string>(&request_.prompt)) {
      body_.Member("prompt", *text);
      return Status::Ok();
    }
    if (!profile_.token_prompts) return Lacks("prompts of token ids", "prompt");
    body_.Key("prompt");
    body_.BeginArray();
    for (const int32_t token : std::get<std::vector<int32_t>>(request_.prompt)) body_.Value(token);
    body_.EndArray();
    return Status::Ok();
  }

  Status AddSampling() {
    // Engines have defaults of their own, or their models': these are OpenAI's.
    if (profile_.needs_temperature || sampling_.temperature != 1) {
      body_.Member("temperature", sampling_.temperature);
    }
    if (profile_.needs_temperature || sampling_.top_p != 1) body_.Member("top_p", sampling_.top_p);
    if (sampling_.presence_penalty != 0)
      body_.Member("presence_penalty", sampling_.presence_penalty);
    if (sampling_.frequency_penalty != 0) {
      body_.Member("frequency_penalty", sampling_.frequency_penalty);
    }
    if (sampling_.max_tokens) {
      body_.Member(is_chat_ ? profile_.max_tokens : "max_tokens", *sampling_.max_tokens);
    }
    if (!sampling_.stop.empty()) {
      body_.Key("stop");
      body_.BeginArray();
      for (const std::string& stop : sampling_.stop) body_.Value(stop);
      body_.EndArray();
    }
    // A seed has its price in some engines, and 63 bits in most.
    if (!sampling_.seed_is_ours) body_.Member("seed", sampling_.seed & (~uint64_t{0} >> 1));
    if (sampling_.top_k != 0 || profile_.own_sampling_defaults) {
      if (!profile_.top_k) return Lacks("top_k", "top_k");
      body_.Member("top_k", sampling_.top_k != 0 ? sampling_.top_k : profile_.top_k_off);
    }
    if (sampling_.min_p != 0 || profile_.own_sampling_defaults) {
      if (!profile_.min_p) return Lacks("min_p", "min_p");
      body_.Member("min_p", sampling_.min_p);
    }
    if (sampling_.repetition_penalty != 1 || profile_.own_sampling_defaults) {
      if (profile_.repetition_penalty.empty()) {
        return Lacks("repetition penalty", "repetition_penalty");
      }
      body_.Member(profile_.repetition_penalty, sampling_.repetition_penalty);
    }
    if (sampling_.ignore_eos) {
      if (!profile_.ignore_eos) return Lacks("ignore_eos", "ignore_eos");
      body_.Member("ignore_eos", true);
    }
    if (request_.priority != 0 && profile_.priority) body_.Member("priority", request_.priority);
    return AddLogitBias();
  }

  Status AddLogitBias() {
    if (sampling_.logit_bias.empty()) return Status::Ok();
    if (!profile_.logit_bias) return Lacks("logit_bias", "logit_bias");
    body_.Key("logit_bias");
    body_.BeginObject();
    for (const auto& [token, value] : sampling_.logit_bias) {
      body_.Member(std::to_string(token), value);
    }
    body_.EndObject();
    return Status::Ok();
  }

  Status AddLogprobs() {
    if (sampling_.top_logprobs < 0) return Status::Ok();
    if (profile_.top_logprobs_max == 0) return Lacks("log-probabilities", "logprobs");
    const int most = is_chat_ ? profile_.top_logprobs_max : profile_.completion_logprobs_max;
    if (sampling_.top_logprobs > most) {
      return InvalidArgument(fmt::format("the engine that serves this model ({}) gives at most {} "
                                         "alternatives; ask for no more",
                                         profile_.name, most))
          .WithParam(is_chat_ ? "top_logprobs" : "logprobs");
    }
    if (!is_chat_) {
      body_.Member("logprobs", sampling_.top_logprobs);
      return Status::Ok();
    }
    body_.Member("logprobs", true);
    if (sampling_.top_logprobs > 0) body_.Member("top_logprobs", sampling_.top_logprobs);
    return Status::Ok();
  }

  Status AddFormat() {
    const AnswerFormat& format = request_.format;
    switch (format.kind) {
      case AnswerFormatKind::kText:
        return Status::Ok();
      case AnswerFormatKind::kJsonObject:
        body_.RawMember("response_format", R"({"type":"json_object"})");
        return Status::Ok();
      case AnswerFormatKind::kJsonSchema:
        // It goes into the body as it is: nothing may stand in it that ends it there.
        if (!Json::parse(format.text, nullptr, /*allow_exceptions=*/false).is_object()) {
          return InvalidArgument("the schema is no JSON object").WithParam(format.param);
        }
        body_.RawMember("response_format",
                        fmt::format(R"({{"type":"json_schema","json_schema":{{"name":"answer",)"
                                    R"("strict":true,"schema":{}}}}})",
                                    format.text));
        return Status::Ok();
      case AnswerFormatKind::kRegex:
        if (!profile_.regex) return Lacks("regular expressions for answers", format.param);
        return AddRegex(format.text);
      case AnswerFormatKind::kChoice:
        if (!profile_.choice) return Lacks("choice of answers", format.param);
        return AddChoice(Json::parse(format.text, nullptr, /*allow_exceptions=*/false));
      case AnswerFormatKind::kGbnf:
        if (!profile_.gbnf) return Lacks("grammar in GBNF", format.param);
        body_.Member("grammar", format.text);
        return Status::Ok();
    }
    return Status::Ok();
  }

  Status AddRegex(const std::string& regex) {
    if (profile_.label_choice == LabelChoice::kStructuredOutputs) {
      AddJson("structured_outputs", {{"regex", regex}});
    } else {
      body_.Member("regex", regex);
    }
    return Status::Ok();
  }

  Status AddChoice(const Json& texts) {
    const bool are_texts = texts.is_array() && !texts.empty() &&
                           std::all_of(texts.begin(), texts.end(), [](const Json& text) {
                             return text.is_string() && !text.get_ref<const std::string&>().empty();
                           });
    if (!are_texts) {
      return InvalidArgument("the choice must be of strings, at least one, and none empty")
          .WithParam(request_.format.param);
    }
    if (profile_.label_choice == LabelChoice::kStructuredOutputs) {
      AddJson("structured_outputs", {{"choice", texts}});
    } else if (profile_.label_choice == LabelChoice::kGrammar) {
      std::string rule;
      for (const Json& text : texts) rule += (rule.empty() ? "" : " | ") + ToText(text);
      body_.Member("grammar", "root ::= " + rule);
    } else {
      body_.Member("regex", AnyOf(texts));
    }
    return Status::Ok();
  }

  static std::string AnyOf(const Json& texts) {
    std::string regex;
    for (const Json& text : texts) {
      regex += regex.empty() ? "(" : "|";
      for (const char c : text.get_ref<const std::string&>()) {
        if (std::string_view(R"(\.+*?()|[]{}^$)").find(c) != std::string_view::npos) regex += '\\';
        regex += c;
      }
    }
    return regex + ")";
  }

  void AddStrategy() {
    switch (profile_.strategy) {
      case StrategyField::kNone:
        return;
      case StrategyField::kSpeculativeNMax:
        if (!request_.strategy || request_.strategy->kind == StrategyKind::kAuto) return;
        body_.Member("speculative.n_max", request_.strategy->kind == StrategyKind::kPlain
                                              ? 0
                                              : request_.strategy->num_speculative_tokens);
        return;
      case StrategyField::kAio:
        Json aio = Json::object();
        if (request_.strategy) aio["strategy"] = StrategyName(request_.strategy->kind);
        if (request_.weights) aio["weights"] = *request_.weights;
        if (!aio.empty()) AddJson("aio", aio);
    }
  }

  const Request& request_;
  const SamplingParams& sampling_;
  const EngineProfile& profile_;
  JsonWriter body_;
  bool is_chat_ = true;
};

}  // namespace

Result<EncodedRequest> EncodeRequest(const Request& request, std::string_view model,
                                     const EngineProfile& profile) {
  return RequestEncoder(request, profile).Encode(model);
}

size_t PromptBytes(const Request& request) {
  const Prompt& prompt = request.prompt;
  if (const auto* text = std::get_if<std::string>(&prompt)) return text->size();
  if (std::holds_alternative<std::vector<int32_t>>(prompt)) return 0;
  size_t bytes = request.tools.size();
  for (const ChatMessage& message : std::get<std::vector<ChatMessage>>(prompt)) {
    bytes += message.role.size() + message.content.size();
    for (const ToolCall& call : message.tool_calls)
      bytes += call.name.size() + call.arguments.size();
  }
  return bytes;
}

}  // namespace aio
