#include "tokenizer/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_writer.h"
#include "tokenizer/jinja_text.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

using Turns = std::vector<ChatTurn>;

const Turns kShort = {{"user", "Hi"}};
const Turns kLong = {{"system", "Be brief"}, {"user", "Hi"},      {"assistant", " Hello "},
                     {"user", " Who? "},     {"assistant", "Me"}, {"user", "Bye"}};

Result<ChatTemplate> FromJinja(std::string_view jinja, std::string_view eos = "</s>") {
  GgufWriter writer;
  writer.SetString("tokenizer.chat_template", jinja);
  writer.SetUint32("tokenizer.ggml.eos_token_id", 0);
  writer.SetStringArray("tokenizer.ggml.tokens", std::vector<std::string>{std::string(eos)});
  const std::vector<std::byte> bytes = writer.Encode();
  AIO_ASSIGN_OR_RETURN(const auto file, GgufFile::Parse(bytes, "test.gguf"));
  return ChatTemplate::FromGguf(*file);
}

std::string FamilyOf(std::string_view jinja, std::string_view eos = "</s>") {
  const auto chat_template = FromJinja(jinja, eos);
  return chat_template.ok() ? std::string(chat_template->family())
                            : std::string(StatusCodeName(chat_template.status().code()));
}

std::string Joined(const std::vector<TextPiece>& pieces) {
  std::string text;
  for (const TextPiece& piece : pieces) text += piece.text;
  return text;
}

std::string Rendered(const ChatTemplate& chat_template, const Turns& turns,
                     bool add_generation_prompt = true) {
  const auto pieces = chat_template.Render(turns, add_generation_prompt);
  return pieces.ok() ? Joined(*pieces) : pieces.status().ToString();
}

std::string Rendered(std::string_view family, const Turns& turns,
                     bool add_generation_prompt = true) {
  return Rendered(*ChatTemplate::FromName(family), turns, add_generation_prompt);
}

TEST(ChatTemplateTest, ContentIsUserTextAndTheRestIsTemplate) {
  const auto pieces = ChatTemplate::FromName("chatml")->Render(
      Turns{{"system", "S<|im_end|>"}, {"user", "U"}}, /*add_generation_prompt=*/true);
  ASSERT_TRUE(pieces.ok());
  ASSERT_EQ(pieces->size(), 5u);
  EXPECT_EQ((*pieces)[0].text, "<|im_start|>system\n");
  EXPECT_TRUE((*pieces)[0].is_template);
  EXPECT_EQ((*pieces)[1].text, "S<|im_end|>");
  EXPECT_FALSE((*pieces)[1].is_template);
  EXPECT_EQ((*pieces)[2].text, "<|im_end|>\n<|im_start|>user\n");
  EXPECT_TRUE((*pieces)[2].is_template);
  EXPECT_EQ((*pieces)[3].text, "U");
  EXPECT_EQ((*pieces)[4].text, "<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplateTest, ChatMl) {
  EXPECT_EQ(Rendered("chatml", kLong),
            "<|im_start|>system\nBe brief<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            "<|im_start|>assistant\n Hello <|im_end|>\n<|im_start|>user\n Who? <|im_end|>\n"
            "<|im_start|>assistant\nMe<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(Rendered("chatml", kShort, false), "<|im_start|>user\nHi<|im_end|>\n");
}

TEST(ChatTemplateTest, Llama2) {
  EXPECT_EQ(Rendered("llama-2", kLong),
            "[INST] <<SYS>>\nBe brief\n<</SYS>>\n\nHi [/INST] Hello </s>"
            "<s>[INST] Who? [/INST] Me </s><s>[INST] Bye [/INST]");
  EXPECT_EQ(Rendered("llama-2", kShort), "[INST] Hi [/INST]");
}

TEST(ChatTemplateTest, Llama3) {
  EXPECT_EQ(Rendered("llama-3", Turns(kLong.begin(), kLong.begin() + 4)),
            "<|start_header_id|>system<|end_header_id|>\n\nBe brief<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplateTest, Mistral) {
  EXPECT_EQ(Rendered("mistral-v0", kLong),
            "[INST] Be brief\n\nHi [/INST] Hello </s>[INST]  Who?  [/INST]Me</s>"
            "[INST] Bye [/INST]");
  EXPECT_EQ(Rendered("mistral-v1", kLong),
            " [INST] Be brief\n\nHi [/INST]  Hello </s> [INST]  Who?  [/INST] Me</s>"
            " [INST] Bye [/INST]");
  EXPECT_EQ(Rendered("mistral-v3", kLong),
            "[INST] Hi[/INST] Hello</s>[INST]  Who? [/INST] Me</s>[INST] Be brief\n\nBye[/INST]");
  EXPECT_EQ(Rendered("mistral-v3-tekken", kLong),
            "[INST]Hi[/INST] Hello </s>[INST] Who? [/INST]Me</s>[INST]Be brief\n\nBye[/INST]");
  EXPECT_EQ(Rendered("mistral-v7", kLong),
            "[SYSTEM_PROMPT] Be brief[/SYSTEM_PROMPT][INST] Hi[/INST]  Hello </s>"
            "[INST]  Who? [/INST] Me</s>[INST] Bye[/INST]");
  EXPECT_EQ(Rendered("mistral-v7-tekken", kShort), "[INST]Hi[/INST]");
}

TEST(ChatTemplateTest, Zephyr) {
  EXPECT_EQ(Rendered("zephyr", Turns{{"system", "S"}, {"user", "U"}}),
            "<|system|>\nS</s>\n<|user|>\nU</s>\n<|assistant|>\n");
  EXPECT_EQ(Rendered("stablelm-zephyr", kShort), "<|user|>\nHi<|endoftext|>\n<|assistant|>\n");
}

TEST(ChatTemplateTest, Phi) {
  EXPECT_EQ(Rendered("phi-3", Turns{{"user", "U"}, {"assistant", "A"}, {"user", "V"}}),
            "<|user|>\nU<|end|>\n<|assistant|>\nA<|end|>\n<|user|>\nV<|end|>\n<|assistant|>\n");
  EXPECT_EQ(Rendered("phi-4-mini", kShort), "<|user|>Hi<|end|><|assistant|>");
  EXPECT_EQ(Rendered("phi-4", kShort),
            "<|im_start|>user<|im_sep|>Hi<|im_end|><|im_start|>assistant<|im_sep|>");
}

TEST(ChatTemplateTest, Deepseek) {
  EXPECT_EQ(Rendered("deepseek-coder", Turns{{"user", "U"}, {"assistant", "A"}, {"user", "V"}}),
            "### Instruction:\nU\n### Response:\nA\n<|EOT|>\n### Instruction:\nV\n"
            "### Response:\n");
  EXPECT_EQ(Rendered("deepseek-llm",
                     Turns{{"system", "S"}, {"user", "U"}, {"assistant", "A"}, {"user", "V"}}),
            "S\n\nUser: U\n\nAssistant: A<｜end▁of▁sentence｜>User: V\n\nAssistant:");
  EXPECT_EQ(Rendered("deepseek-v3",
                     Turns{{"system", "S"}, {"user", "U"}, {"assistant", "A"}, {"user", "V"}}),
            "S<｜User｜>U<｜Assistant｜>A<｜end▁of▁sentence｜><｜User｜>V<｜Assistant｜>");
}

TEST(ChatTemplateTest, PanguAlwaysHasASystemTurn) {
  EXPECT_EQ(Rendered("pangu", kShort),
            "[unused9]系统：[unused10][unused9]用户：Hi[unused10][unused9]助手：");
  EXPECT_EQ(Rendered("pangu", Turns{{"system", "S"}, {"user", "U"}, {"assistant", "A"}}, false),
            "[unused9]系统：S[unused10][unused9]用户：U[unused10][unused9]助手：A[unused10]");
}

TEST(ChatTemplateTest, RolesAndTheirOrder) {
  const auto fault = [](std::string_view family, const Turns& turns) {
    const auto pieces = ChatTemplate::FromName(family)->Render(turns, true);
    EXPECT_EQ(pieces.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(pieces.status().message(), ::testing::Not(::testing::IsEmpty()));
    return pieces.status().param();
  };
  EXPECT_EQ(fault("chatml", {}), "messages");
  EXPECT_EQ(fault("chatml", {{"user", "U"}, {"tool", "T"}}), "messages[1].role");
  EXPECT_EQ(fault("chatml", {{"", "T"}}), "messages[0].role");
  EXPECT_EQ(fault("llama-2", {{"user", "U"}, {"user", "V"}}), "messages[1].role");
  EXPECT_EQ(fault("mistral-v3", {{"system", "S"}, {"assistant", "A"}}), "messages[1].role");
  EXPECT_EQ(fault("pangu", {{"user", "U"}, {"system", "S"}}), "messages[1].role");
  EXPECT_THAT(Rendered("chatml", Turns{{"user", "U"}, {"system", "S"}}), HasSubstr("system\nS"));
}

TEST(ChatTemplateTest, ASystemMessageThatJoinsAUsersNeedsOne) {
  const Turns alone = {{"system", "S"}};
  for (const char* family :
       {"llama-2", "mistral-v0", "mistral-v1", "mistral-v3", "mistral-v3-tekken"}) {
    const auto pieces = ChatTemplate::FromName(family)->Render(alone, true);
    EXPECT_EQ(pieces.status().code(), StatusCode::kInvalidArgument) << family;
    EXPECT_EQ(pieces.status().param(), "messages");
  }
  for (const char* family : {"chatml", "llama-3", "mistral-v7", "pangu"}) {
    EXPECT_THAT(Rendered(family, alone), HasSubstr("S")) << family;
  }
}

// Enough of each model's template to tell it by.
constexpr char kSmolLm2[] =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ "
    "'<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}";
constexpr char kQwen25[] =
    "{%- if tools %}{{- '<|im_start|>system\\n' }}{{- messages[0]['content'] }}"
    "{{- 'You are Qwen.' }}{%- else %}{%- if messages[0]['role'] == 'system' %}"
    "{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}{%- else %}"
    "{{- '<|im_start|>system\\nYou are Qwen, it\\'s \\\"me\\\".<|im_end|>\\n' }}{%- endif %}";
constexpr char kQwen3[] =
    "{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}"
    "{%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}";
constexpr char kLlama31[] =
    "{{- \"<|start_header_id|>system<|end_header_id|>\\n\\n\" }}"
    "{{- \"Cutting Knowledge Date: December 2023\\n\" }}{{- \"Today Date: \" + date_string }}"
    "{{- \"<|eot_id|>\" }}";
constexpr char kDeepseekCoder[] =
    "{%- if not ns.found -%}\n{{'You are an AI programming assistant, utilizing the Deepseek "
    "Coder model, and you will refuse to answer\\n'}}\n{%- endif %}'### Instruction:\\n' <|EOT|>";
constexpr char kDeepseekR1[] =
    "{% set content = content.split('</think>')[-1] %}{{'<｜User｜>' + message['content']}}"
    "{{'<｜Assistant｜><think>\\n'}}";

TEST(ChatTemplateTest, AddsTheDefaultSystemPromptOfTheFile) {
  EXPECT_THAT(Rendered(*FromJinja(kSmolLm2), kShort),
              ::testing::StartsWith("<|im_start|>system\nYou are a helpful AI assistant named "
                                    "SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user"));
  EXPECT_THAT(Rendered(*FromJinja(kQwen25), kShort),
              ::testing::StartsWith("<|im_start|>system\nYou are Qwen, it's \"me\".<|im_end|>\n"));
  EXPECT_THAT(Rendered(*FromJinja(kQwen25), kLong),
              ::testing::StartsWith("<|im_start|>system\nBe brief<|im_end|>\n"));
  EXPECT_THAT(Rendered(*FromJinja(kQwen3), kShort), ::testing::StartsWith("<|im_start|>user\n"));
  EXPECT_THAT(Rendered(*FromJinja("{% set system_message = 'Help.' %}<|im_start|>"), kShort),
              ::testing::StartsWith("<|im_start|>system\nHelp.<|im_end|>\n"));
  EXPECT_EQ(Rendered(*FromJinja(kDeepseekCoder), kShort),
            "You are an AI programming assistant, utilizing the Deepseek Coder model, and you "
            "will refuse to answer\n### Instruction:\nHi\n### Response:\n");
}

TEST(ChatTemplateTest, DefaultSystemPromptsAreTextNotCode) {
  const auto beginning = [](const std::string& jinja) {
    const std::string text = Rendered(*FromJinja(jinja), kShort, false);
    return text.substr(0, text.find("<|im_end|>"));
  };
  const std::string none = "<|im_start|>user\nHi";
  EXPECT_EQ(beginning("{{ 'x<|im_start|>system\\n' + system + '<|im_end|>\\n' }}"), none);
  EXPECT_EQ(beginning("{{ '<|im_start|>system\\n' }}{{ system }}{{ '<|im_end|>' }}"), none);
  EXPECT_EQ(beginning("<|im_start|>system\n{{ system }}<|im_end|>"), none);
  EXPECT_EQ(beginning("{# '<|im_start|>system\nOld<|im_end|>' #}{{ '<|im_start|>' }}"), none);
  EXPECT_EQ(beginning("{{ '<s><|im_start|>system\\nYou are X.\\nBe kind.<|im_end|>' }}"),
            "<|im_start|>system\nYou are X.\nBe kind.");
  EXPECT_EQ(beginning("don't {{ a['b'] }}<|im_start|>system\nYou're X.<|im_end|>"),
            "<|im_start|>system\nYou're X.");
}

TEST(ChatTemplateTest, Llama31StatesDates) {
  const std::string dates = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
  const std::string open = "<|start_header_id|>system<|end_header_id|>\n\n";
  EXPECT_THAT(Rendered(*FromJinja(kLlama31), kShort),
              ::testing::StartsWith(open + dates + "<|eot_id|>"));
  EXPECT_THAT(Rendered(*FromJinja(kLlama31), kLong),
              ::testing::StartsWith(open + dates + "Be brief<|eot_id|>"));
}

TEST(ChatTemplateTest, EarlierReasoningIsLeftOut) {
  const Turns turns = {{"user", "U"}, {"assistant", "<think>hm</think>\n\nA"}, {"user", "V"}};
  EXPECT_THAT(Rendered(*FromJinja(kQwen3), turns), HasSubstr("assistant\nA<|im_end|>"));
  EXPECT_EQ(
      Rendered(*FromJinja(kDeepseekR1), turns),
      "<｜User｜>U<｜Assistant｜>\n\nA<｜end▁of▁sentence｜><｜User｜>V<｜Assistant｜><think>\n");
  EXPECT_THAT(Rendered("chatml", turns), HasSubstr("<think>hm</think>"));
}

TEST(ChatTemplateTest, RecognisesFamilies) {
  EXPECT_EQ(FamilyOf(kSmolLm2), "chatml");
  EXPECT_EQ(FamilyOf("{{'<|im_start|>user<|im_sep|>'}}"), "phi-4");
  EXPECT_EQ(FamilyOf("<|im_start|>User: <end_of_utterance>"), "unimplemented");
  EXPECT_EQ(FamilyOf(kLlama31), "llama-3");
  EXPECT_EQ(FamilyOf("<|start_header_id|>Cutting Knowledge Date<|eot_id|>"), "unimplemented");
  EXPECT_EQ(FamilyOf("{{ bos_token + '[INST] ' + '<<SYS>>' }}"), "llama-2");
  EXPECT_EQ(FamilyOf("{{ '[INST] ' + message['content'] + ' [/INST]' }}"), "mistral-v0");
  EXPECT_EQ(FamilyOf("{{- ' [INST] ' + system_message }}"), "mistral-v1");
  EXPECT_EQ(FamilyOf("{{- \"[AVAILABLE_TOOLS] [\" }}{{- \"[INST] \" + m }}"), "mistral-v3");
  EXPECT_EQ(FamilyOf("{{- \"[AVAILABLE_TOOLS][\" }}{{- \"[INST]\" + m }}"), "mistral-v3-tekken");
  EXPECT_EQ(FamilyOf("{{ '[INST] ' }}{{ '[SYSTEM_PROMPT] ' }}"), "mistral-v7");
  EXPECT_EQ(FamilyOf("{{ '[INST]' }}{{ '[SYSTEM_PROMPT]' }}"), "mistral-v7-tekken");
  EXPECT_EQ(FamilyOf("{{'<|user|>\n' + m + '<|end|>\n'}}{{ '<|assistant|>\n' }}"), "phi-3");
  EXPECT_EQ(FamilyOf("'<|end|>' '<|tool|>' '<|assistant|>'"), "phi-4-mini");
  EXPECT_EQ(FamilyOf("<|start|>assistant<|channel|><|end|><|assistant|>"), "unimplemented");
  EXPECT_EQ(FamilyOf(kDeepseekCoder), "deepseek-coder");
  EXPECT_EQ(FamilyOf("{{ 'Assistant: ' + message['content'] + eos_token }}"), "deepseek-llm");
  EXPECT_EQ(FamilyOf(kDeepseekR1), "deepseek-v3");
  EXPECT_EQ(FamilyOf("{{'<s>[unused9]系统：' + message['content'] + '[unused10]'}}"), "pangu");

  const std::string zephyr =
      "{{ '<|user|>\n' + message['content'] + eos_token }}"
      "{{ '<|assistant|>\n' + message['content'] + eos_token }}";
  EXPECT_EQ(FamilyOf(zephyr), "zephyr");
  EXPECT_EQ(FamilyOf(zephyr, "<|endoftext|>"), "stablelm-zephyr");
  EXPECT_EQ(FamilyOf("[gMASK]<sop><|user|>\n<|assistant|>\n"), "unimplemented");
}

TEST(ChatTemplateTest, UnknownTemplatesAreRefusedWithAdvice) {
  const Status unknown = FromJinja("{{ messages | urlize }}").status();
  EXPECT_THAT(unknown.message(), HasSubstr("line 1: the filter \"urlize\" is not supported"));
  EXPECT_EQ(unknown.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(unknown.message(), HasSubstr("test.gguf"));
  EXPECT_THAT(unknown.message(), HasSubstr("tokenizer.chat_template"));
  EXPECT_THAT(unknown.message(), HasSubstr("chatml, deepseek-coder"));

  const std::vector<std::byte> bytes = GgufWriter().Encode();
  const auto file = GgufFile::Parse(bytes, "test.gguf");
  ASSERT_TRUE(file.ok());
  const Status missing = ChatTemplate::FromGguf(**file).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("chatml"));

  EXPECT_EQ(ChatTemplate::FromName("nonsense").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ChatTemplate::FromName("mistral")->family(), "mistral-v3");
  for (const std::string_view family : ChatTemplate::Families()) {
    EXPECT_EQ(ChatTemplate::FromName(family)->family(), family);
  }
}

TEST(JinjaTextTest, FindsLiterals) {
  EXPECT_EQ(FindLiteralBetween("{{ 'a' }}{{ \"[x\\ty]\" }}", "[", "]"), "x\ty");
  EXPECT_EQ(FindLiteralBetween("a [x\ny] b", "[", "]"), "x\ny");
  EXPECT_EQ(FindLiteralBetween("[{{ x }}]", "[", "]"), std::nullopt);
  EXPECT_EQ(FindLiteralBetween("'[", "[", "]"), std::nullopt);
  EXPECT_EQ(FindLiteralBetween("{{ '[' + x + ']' }}", "[", "]"), std::nullopt);
  EXPECT_EQ(FindLiteralBetween("{{ '{{ [x]' }}[y]", "[", "]"), "x");
  EXPECT_EQ(FindLiteralBetween("{{ a['[x'] }}", "[", "]"), std::nullopt);
  EXPECT_EQ(FindLiteralBetween("{# '[x]' #}{% if '\\'' %}[y]", "[", "]"), "y");
  EXPECT_EQ(FindLiteralBetween("{{ '[x\\", "[", "]"), std::nullopt);
  EXPECT_EQ(FindAssignedLiteral("{% set a = \"b\\\"c\" %}", "a"), "b\"c");
  EXPECT_EQ(FindAssignedLiteral("{% set a = b %}", "a"), std::nullopt);
  EXPECT_EQ(FindAssignedLiteral("set a = 'b'", "a"), std::nullopt);
  EXPECT_EQ(FindAssignedLiteral("", "a"), std::nullopt);
}

}  // namespace
}  // namespace aio
