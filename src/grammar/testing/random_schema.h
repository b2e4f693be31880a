// Random schemas of the supported keywords, and texts sampled under a grammar; for tests.
#ifndef AIO_GRAMMAR_TESTING_RANDOM_SCHEMA_H_
#define AIO_GRAMMAR_TESTING_RANDOM_SCHEMA_H_

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "grammar/token_grammar.h"
#include "grammar/vocabulary_trie.h"

namespace aio {

// `depth`: levels of schemas within schemas.
std::string RandomSchema(std::mt19937& random, int depth);

// All bytes, then words, punctuation and pieces of both that real vocabularies have; deterministic.
std::vector<std::string> TestVocabulary(int size);
std::shared_ptr<const VocabularyTrie> TrieOf(const std::vector<std::string>& vocabulary);

// A token drawn evenly from those allowed, again and again; after `free_tokens` rather one that
// closes what is open. Absent: the text had not ended after many tokens.
std::optional<std::string> SampleText(const std::shared_ptr<const TokenGrammar>& grammar,
                                      int free_tokens, std::mt19937& random);

}  // namespace aio

#endif  // AIO_GRAMMAR_TESTING_RANDOM_SCHEMA_H_
