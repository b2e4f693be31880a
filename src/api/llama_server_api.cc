#include "api/llama_server_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/json_text.h"
#include "backend/request.h"

namespace aio {
namespace {

// What a request that says nothing gets.
OrderedJson DefaultParams() {
  const SamplingParams defaults;
  OrderedJson json;
  json["temperature"] = defaults.temperature;
  json["top_k"] = defaults.top_k;
  json["top_p"] = defaults.top_p;
  json["min_p"] = defaults.min_p;
  json["repeat_penalty"] = defaults.repetition_penalty;
  json["presence_penalty"] = defaults.presence_penalty;
  json["frequency_penalty"] = defaults.frequency_penalty;
  json["max_tokens"] = -1;
  json["n_predict"] = -1;
  json["stream"] = false;
  json["stop"] = OrderedJson::array();
  return json;
}

OrderedJson Slot(int id, const ModelInfo& model, bool is_processing) {
  OrderedJson json;
  json["id"] = id;
  json["n_ctx"] = model.context_length;
  json["speculative"] = !model.draft_model.empty();
  json["is_processing"] = is_processing;
  return json;
}

}  // namespace

std::string EncodeProps(const ModelInfo& model, std::string_view build_info) {
  OrderedJson json;
  OrderedJson& settings = json["default_generation_settings"] = Slot(0, model, false);
  settings["params"] = DefaultParams();
  json["total_slots"] = model.running_max;
  json["model_alias"] = model.name;
  json["model_path"] = model.name;
  json["modalities"] = {{"vision", false}, {"audio", false}};
  json["chat_template"] = model.chat_template;
  json["bos_token"] = model.bos_token;
  json["eos_token"] = model.eos_token;
  json["build_info"] = build_info;
  return ToText(json);
}

Slots EncodeSlots(const std::vector<ModelInfo>& models, const std::vector<ModelLoad>& loads) {
  OrderedJson array = OrderedJson::array();
  Slots slots;
  for (const ModelInfo& model : models) {
    const auto load = std::find_if(loads.begin(), loads.end(),
                                   [&](const ModelLoad& l) { return l.name == model.name; });
    const int running = load == loads.end() ? 0 : std::min(load->running, model.running_max);
    slots.idle += model.running_max - running;
    for (int i = 0; i < model.running_max; ++i) {
      OrderedJson slot = Slot(static_cast<int>(array.size()), model, i < running);
      slot["model"] = model.name;
      array.push_back(std::move(slot));
    }
  }
  slots.json = ToText(array);
  return slots;
}

}  // namespace aio
