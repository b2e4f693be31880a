#include "engine/format_compiler.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/sha256.h"
#include "engine/constraint.h"
#include "grammar/text_grammar.h"

namespace aio {

namespace {

GrammarSource SourceOf(AnswerFormatKind kind) {
  switch (kind) {
    case AnswerFormatKind::kJsonObject:
      return GrammarSource::kJsonObject;
    case AnswerFormatKind::kJsonSchema:
      return GrammarSource::kJsonSchema;
    case AnswerFormatKind::kRegex:
      return GrammarSource::kRegex;
    case AnswerFormatKind::kChoice:
      return GrammarSource::kChoice;
    case AnswerFormatKind::kGbnf:
      return GrammarSource::kGbnf;
    case AnswerFormatKind::kText:
      break;
  }
  AIO_CHECK(false, "text has no grammar");
  return GrammarSource::kJsonObject;
}

}  // namespace

FormatCompiler::VocabularyKey FormatCompiler::KeyOf(const Tokenizer& tokenizer) {
  return {tokenizer.fingerprint(), tokenizer.vocabulary_size(), EndTokens(tokenizer)};
}

Result<std::shared_ptr<const TokenGrammar>> FormatCompiler::Compile(const AnswerFormat& format,
                                                                    const Tokenizer& tokenizer) {
  if (format.kind == AnswerFormatKind::kText) return std::shared_ptr<const TokenGrammar>();
  const VocabularyKey vocabulary = KeyOf(tokenizer);
  const auto& [fingerprint, size, ends] = vocabulary;
  const std::string key = fmt::format("{} {} {} {} {}", fingerprint, size, fmt::join(ends, ","),
                                      static_cast<int>(format.kind), Sha256Hex(format.text));
  const auto with_param = [&format](Compiled compiled) -> Compiled {
    return compiled.ok() ? compiled : compiled.status().WithParam(format.param);
  };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(),
                                    [&key](const Entry& entry) { return entry.key == key; });
    if (found != kept_.end()) {
      kept_.splice(kept_.begin(), kept_, found);
      return with_param(found->compiled);
    }
  }
  // Not under the lock: others need not wait, and what two compile at once is the same.
  const Result<std::shared_ptr<const Grammar>> grammar =
      CompileText(SourceOf(format.kind), format.text);
  Compiled compiled =
      grammar.ok()
          ? Compiled(std::make_shared<const TokenGrammar>(*grammar, TrieOf(vocabulary, tokenizer)))
          : Compiled(grammar.status());
  const std::lock_guard lock(mutex_);
  kept_.push_front({key, compiled});
  if (kept_.size() > kKept) kept_.pop_back();
  if (compiled.ok()) PrepareLater(*compiled);
  return with_param(std::move(compiled));
}

void FormatCompiler::PrepareLater(const std::shared_ptr<const TokenGrammar>& grammar) {
  if (preparing_ == nullptr) preparing_ = std::make_unique<TaskThread>();
  preparing_->Post([this, weak = std::weak_ptr<const TokenGrammar>(grammar)] {
    for (int node = 0; !ends_; ++node) {
      const std::shared_ptr<const TokenGrammar> wanted = weak.lock();  // by somebody else too
      if (wanted == nullptr || node == wanted->grammar()->num_nodes()) return;
      if (!wanted->Prepare(node)) return;
    }
  });
}

// Of text alone: tokens that steer a model are no part of an answer.
std::shared_ptr<const VocabularyTrie> FormatCompiler::TrieOf(const VocabularyKey& key,
                                                             const Tokenizer& tokenizer) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const VocabularyTrie>& trie = tries_[key];
  if (trie != nullptr) return trie;
  std::vector<std::string_view> tokens(tokenizer.vocabulary_size());
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const bool is_text = !tokenizer.IsControl(id) && !tokenizer.IsEndOfGeneration(id) &&
                         tokenizer.Kind(id) != TokenKind::kUnused;
    if (is_text) tokens[id] = tokenizer.TokenBytes(id);
  }
  trie = std::make_shared<const VocabularyTrie>(tokens);
  return trie;
}

}  // namespace aio
