// Compiles the formats that requests ask for, and keeps those asked for lately.
#ifndef AIO_ENGINE_FORMAT_COMPILER_H_
#define AIO_ENGINE_FORMAT_COMPILER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "base/task_thread.h"
#include "grammar/token_grammar.h"
#include "grammar/vocabulary_trie.h"
#include "tokenizer/tokenizer.h"

namespace aio {

// Thread-safe. What a mask of tokens is made of takes up to tens of milliseconds for a form of text
// that is met for the first time. A thread of this looks at all of a new format's beforehand, for
// while a prompt is read there is time, and a step that waits holds up everybody.
class FormatCompiler {
 public:
  static constexpr size_t kKept = 16;  // grammars: each may take some 10 MiB

  ~FormatCompiler() { ends_ = true; }

  // Null for kText. kInvalidArgument with the format's param says what to change; that is
  // remembered too. A large schema takes tens of milliseconds, once; the first of a vocabulary as
  // well.
  Result<std::shared_ptr<const TokenGrammar>> Compile(const AnswerFormat& format,
                                                      const Tokenizer& tokenizer);

 private:
  using Compiled = Result<std::shared_ptr<const TokenGrammar>>;
  struct Entry {
    std::string key;
    Compiled compiled;
  };

  // What tokenizers of one trie have in common. Those of one fingerprint may differ in how many
  // unused tokens they have, and by which an answer ends.
  using VocabularyKey = std::tuple<uint64_t, int, std::vector<int32_t>>;
  static VocabularyKey KeyOf(const Tokenizer& tokenizer);
  std::shared_ptr<const VocabularyTrie> TrieOf(const VocabularyKey& key,
                                               const Tokenizer& tokenizer);
  // mutex_ is held.
  void PrepareLater(const std::shared_ptr<const TokenGrammar>& grammar);

  std::mutex mutex_;
  std::list<Entry> kept_;  // guarded by mutex_, the last used first; as the next
  std::map<VocabularyKey, std::shared_ptr<const VocabularyTrie>> tries_;
  std::atomic<bool> ends_ = false;
  std::unique_ptr<TaskThread> preparing_;  // null before the first format; last: uses the others
};

}  // namespace aio

#endif  // AIO_ENGINE_FORMAT_COMPILER_H_
