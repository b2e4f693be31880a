// Prompt lookup decoding (Saxena 2023): what followed the last few tokens when they stood
// somewhere before is a good guess of what follows them now.
#ifndef AIO_ENGINE_PROMPT_LOOKUP_H_
#define AIO_ENGINE_PROMPT_LOOKUP_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/request.h"

namespace aio {

// Where the n-grams of a text that grows stood before, and what followed them. Taking in a
// token and finding the last n-gram both take a time that does not depend on the text: one
// look into a hash table for each length of n-gram. An answer is wrong where two n-grams have
// the same 64-bit hash, which costs a guess and nothing else.
class NgramIndex {
 public:
  // N-grams of ngram_min..ngram_max tokens; 1 <= ngram_min <= ngram_max <= kPromptLookupMax.
  NgramIndex(int ngram_max, int ngram_min);

  // Takes in the tokens beyond those taken in before, of which `tokens` is a continuation.
  void Extend(std::span<const int32_t> tokens);

  // The longest n-gram at the end that stood earlier too.
  struct Match {
    int length = 0;          // tokens; 0: none, and the rest means nothing
    int latest = -1;         // position after its latest earlier occurrence
    int frequent = -1;       // the latest position of the token that followed it most often
    int frequent_count = 0;  // how often that was
  };
  Match Find() const;

  int num_tokens() const { return num_tokens_; }

 private:
  struct Entry {
    uint64_t key = 0;  // 0: empty
    int32_t count = 0;
    int32_t latest = -1;
    int32_t frequent = -1;
    int32_t frequent_count = 0;
  };
  using Keys = std::array<uint64_t, kPromptLookupMax + 2>;  // [length]

  void Append(std::span<const int32_t> tokens);
  Entry& At(uint64_t key);
  const Entry* Find(uint64_t key) const;
  void Reserve(int num_tokens);

  const int ngram_max_;
  const int ngram_min_;
  int num_tokens_ = 0;
  Keys last_{};               // hashes of the n-grams at the end
  std::vector<Entry> table_;  // open addressing; a power of two
  size_t used_ = 0;
};

// Proposes the continuation of a sequence's tokens.
class PromptLookup {
 public:
  // A match is told apart up to this many tokens: from there on it is a copy.
  static constexpr int kMatchMax = 32;

  PromptLookup(int ngram_max, int ngram_min) : index_(ngram_max, ngram_min) {}

  // Appends up to `count_max` guesses of what follows `tokens`, a continuation of those at the
  // call before, and returns how many of the last tokens the place they are copied from has in
  // common with them (at most kMatchMax; 0: no guesses). Of the places that the index knows,
  // and the one that the last guesses came from, the one with most in common; of equals the
  // most frequent continuation, then the latest. Where copying runs into the end of the tokens
  // it goes on from the guesses, so a run or a loop drafts its own continuation.
  int Propose(std::span<const int32_t> tokens, int count_max, std::vector<int32_t>& draft);

 private:
  NgramIndex index_;
  // Where the last guesses were copied from, less the tokens that there were then: text that
  // is being copied stays in step with it.
  int source_offset_ = 0;  // < 0; 0: none
};

}  // namespace aio

#endif  // AIO_ENGINE_PROMPT_LOOKUP_H_
