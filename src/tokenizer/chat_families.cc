#include "tokenizer/chat_families.h"

namespace aio {
namespace {

using Place = ChatFamily::SystemPlace;

// From the `chat_template` of the models' tokenizer_config.json. The beginning-of-sequence
// token that most of them write first is the tokenizer's business (Encode's `add_bos`).
constexpr ChatFamily kFamilies[] = {
    // Qwen, SmolLM and many fine-tunes.
    {.name = "chatml",
     .system = {"<|im_start|>system\n", "<|im_end|>\n"},
     .user = {"<|im_start|>user\n", "<|im_end|>\n"},
     .assistant = {"<|im_start|>assistant\n", "<|im_end|>\n"},
     .generation = "<|im_start|>assistant\n"},
    // deepseek-ai/deepseek-coder-6.7b-instruct
    {.name = "deepseek-coder",
     .system = {"", ""},
     .user = {"### Instruction:\n", "\n"},
     .assistant = {"### Response:\n", "\n<|EOT|>\n"},
     .generation = "### Response:\n"},
    // deepseek-ai/deepseek-llm-7b-chat, DeepSeek-V2
    {.name = "deepseek-llm",
     .system = {"", "\n\n"},
     .user = {"User: ", "\n\n"},
     .assistant = {"Assistant: ", "<｜end▁of▁sentence｜>"},
     .generation = "Assistant:"},
    // deepseek-ai/DeepSeek-V3, DeepSeek-R1 and its distilled models
    {.name = "deepseek-v3",
     .system = {"", ""},
     .user = {"<｜User｜>", ""},
     .assistant = {"<｜Assistant｜>", "<｜end▁of▁sentence｜>"},
     .generation = "<｜Assistant｜>",
     .system_place = Place::kFirst},
    // meta-llama/Llama-2-7b-chat-hf
    {.name = "llama-2",
     .system = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
     .user = {"[INST] ", " [/INST]"},
     .assistant = {" ", " </s>"},
     .generation = "",
     .system_place = Place::kInFirstUser,
     .alternates = true,
     .trims_user = true,
     .trims_assistant = true,
     .user_again = "<s>"},
    // meta-llama/Meta-Llama-3-8B-Instruct
    {.name = "llama-3",
     .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
     .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
     .assistant = {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
     .generation = "<|start_header_id|>assistant<|end_header_id|>\n\n",
     .trims_system = true,
     .trims_user = true,
     .trims_assistant = true},
    // mistralai/Mistral-7B-Instruct-v0.2 as first published; it has no system message, so
    // that one goes where the later versions put it.
    {.name = "mistral-v0",
     .system = {"", "\n\n"},
     .user = {"[INST] ", " [/INST]"},
     .assistant = {"", "</s>"},
     .generation = "",
     .system_place = Place::kInFirstUser,
     .alternates = true},
    // The same model with the later template ("V1" of mistral-common).
    {.name = "mistral-v1",
     .system = {"", "\n\n"},
     .user = {" [INST] ", " [/INST]"},
     .assistant = {" ", "</s>"},
     .generation = "",
     .system_place = Place::kInFirstUser,
     .alternates = true},
    // mistralai/Mistral-7B-Instruct-v0.3, Mistral-Large-Instruct-2407
    {.name = "mistral-v3",
     .system = {"", "\n\n"},
     .user = {"[INST] ", "[/INST]"},
     .assistant = {" ", "</s>"},
     .generation = "",
     .system_place = Place::kInLastUser,
     .alternates = true,
     .trims_assistant = true},
    // mistralai/Mistral-Nemo-Instruct-2407
    {.name = "mistral-v3-tekken",
     .system = {"", "\n\n"},
     .user = {"[INST]", "[/INST]"},
     .assistant = {"", "</s>"},
     .generation = "",
     .system_place = Place::kInLastUser,
     .alternates = true},
    // mistralai/Mistral-Large-Instruct-2411
    {.name = "mistral-v7",
     .system = {"[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"},
     .user = {"[INST] ", "[/INST]"},
     .assistant = {" ", "</s>"},
     .generation = ""},
    // mistralai/Mistral-Small-3.1-24B-Instruct-2503, without its long default system prompt
    {.name = "mistral-v7-tekken",
     .system = {"[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"},
     .user = {"[INST]", "[/INST]"},
     .assistant = {"", "</s>"},
     .generation = ""},
    // openPangu-Embedded-1B and -7B
    {.name = "pangu",
     .system = {"[unused9]系统：", "[unused10]"},
     .user = {"[unused9]用户：", "[unused10]"},
     .assistant = {"[unused9]助手：", "[unused10]"},
     .generation = "[unused9]助手：",
     .system_place = Place::kFirst,
     .always_has_system = true},
    // microsoft/Phi-3-mini-4k-instruct, Phi-3.5
    {.name = "phi-3",
     .system = {"<|system|>\n", "<|end|>\n"},
     .user = {"<|user|>\n", "<|end|>\n"},
     .assistant = {"<|assistant|>\n", "<|end|>\n"},
     .generation = "<|assistant|>\n"},
    // microsoft/phi-4
    {.name = "phi-4",
     .system = {"<|im_start|>system<|im_sep|>", "<|im_end|>"},
     .user = {"<|im_start|>user<|im_sep|>", "<|im_end|>"},
     .assistant = {"<|im_start|>assistant<|im_sep|>", "<|im_end|>"},
     .generation = "<|im_start|>assistant<|im_sep|>"},
    // microsoft/Phi-4-mini-instruct
    {.name = "phi-4-mini",
     .system = {"<|system|>", "<|end|>"},
     .user = {"<|user|>", "<|end|>"},
     .assistant = {"<|assistant|>", "<|end|>"},
     .generation = "<|assistant|>"},
    // stabilityai/stablelm-zephyr-3b
    {.name = "stablelm-zephyr",
     .system = {"<|system|>\n", "<|endoftext|>\n"},
     .user = {"<|user|>\n", "<|endoftext|>\n"},
     .assistant = {"<|assistant|>\n", "<|endoftext|>\n"},
     .generation = "<|assistant|>\n"},
    // HuggingFaceH4/zephyr-7b-beta, TinyLlama/TinyLlama-1.1B-Chat-v1.0
    {.name = "zephyr",
     .system = {"<|system|>\n", "</s>\n"},
     .user = {"<|user|>\n", "</s>\n"},
     .assistant = {"<|assistant|>\n", "</s>\n"},
     .generation = "<|assistant|>\n"},
};

struct Alias {
  std::string_view alias, name;
};
constexpr Alias kAliases[] = {
    {"deepseek-r1", "deepseek-v3"},
    {"llama2", "llama-2"},
    {"llama3", "llama-3"},
    {"mistral", "mistral-v3"},
    {"openpangu", "pangu"},
    {"phi3", "phi-3"},
    {"qwen", "chatml"},
    {"tinyllama", "zephyr"},
};

}  // namespace

std::span<const ChatFamily> AllChatFamilies() { return kFamilies; }

const ChatFamily* FindChatFamily(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.alias == name) name = alias.name;
  }
  for (const ChatFamily& family : kFamilies) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

}  // namespace aio
