#include "api/llama_server_api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using Json = nlohmann::json;

ModelInfo Model(const std::string& name, int running_max) {
  ModelInfo model;
  model.name = name;
  model.context_length = 2048;
  model.chat_template = "chatml";
  model.eos_token = "<|im_end|>";
  model.running_max = running_max;
  return model;
}

TEST(LlamaServerApiTest, Props) {
  const Json props = Json::parse(EncodeProps(Model("pocket-small", 4), "aio"));
  EXPECT_EQ(props["total_slots"], 4);
  EXPECT_EQ(props["model_path"], "pocket-small");
  EXPECT_EQ(props["model_alias"], "pocket-small");
  EXPECT_EQ(props["chat_template"], "chatml");
  EXPECT_EQ(props["bos_token"], "");
  EXPECT_EQ(props["eos_token"], "<|im_end|>");
  EXPECT_EQ(props["build_info"], "aio");
  EXPECT_EQ(props["default_generation_settings"]["n_ctx"], 2048);
  EXPECT_EQ(props["default_generation_settings"]["params"]["temperature"], 1.0);
  EXPECT_EQ(props["modalities"], Json::parse(R"({"vision": false, "audio": false})"));
}

TEST(LlamaServerApiTest, SlotsSayWhetherTheyAreInUse) {
  ModelLoad load;
  load.name = "b";
  load.running = 1;
  const Slots slots = EncodeSlots({Model("a", 1), Model("b", 2), Model("remote", 0)}, {load});
  EXPECT_EQ(Json::parse(slots.json), Json::parse(R"([
      {"id": 0, "n_ctx": 2048, "speculative": false, "is_processing": false, "model": "a"},
      {"id": 1, "n_ctx": 2048, "speculative": false, "is_processing": true, "model": "b"},
      {"id": 2, "n_ctx": 2048, "speculative": false, "is_processing": false, "model": "b"}])"));
  EXPECT_EQ(slots.idle, 2);
}

}  // namespace
}  // namespace aio
