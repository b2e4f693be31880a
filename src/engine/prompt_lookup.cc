#include "engine/prompt_lookup.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace aio {

namespace {

// Finalizer of splitmix64 (Steele, Lea and Flood 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// Length, at most `length_max`, of the common suffix of tokens[0..end) and all of tokens.
int CommonSuffix(std::span<const int32_t> tokens, int end, int length_max) {
  int length = 0;
  while (length < length_max && length < end &&
         tokens[end - 1 - length] == tokens[tokens.size() - 1 - length]) {
    ++length;
  }
  return length;
}

}  // namespace

NgramIndex::NgramIndex(int ngram_max, int ngram_min)
    : ngram_max_(ngram_max), ngram_min_(ngram_min) {
  AIO_CHECK(1 <= ngram_min && ngram_min <= ngram_max && ngram_max <= kPromptLookupMax);
}

void NgramIndex::Extend(std::span<const int32_t> tokens) {
  const int size = static_cast<int>(tokens.size());
  AIO_CHECK(size >= num_tokens_);
  // A long prompt at once, then as it grows.
  if (size - num_tokens_ > 1) Reserve(size + size / 4);
  while (num_tokens_ < size) Append(tokens.first(num_tokens_ + 1));
}

void NgramIndex::Append(std::span<const int32_t> tokens) {
  const int position = num_tokens_++;
  Reserve(num_tokens_);
  Keys keys{};
  uint64_t hash = 0;
  // One token more than is looked up: its count says how often the last of it followed.
  const int length_max = std::min(ngram_max_ + 1, num_tokens_);
  for (int length = 1; length <= length_max; ++length) {
    hash = Mix(hash + 0x9E3779B97F4A7C15U *
                          (static_cast<uint32_t>(tokens[position + 1 - length]) + uint64_t{1}));
    if (length < ngram_min_) continue;
    keys[length] = hash | 1;
    const int count = ++At(keys[length]).count;
    if (length == ngram_min_) continue;
    Entry& before = At(last_[length - 1]);
    before.latest = position;
    if (count >= before.frequent_count) {
      before.frequent = position;
      before.frequent_count = count;
    }
  }
  last_ = keys;
}

NgramIndex::Match NgramIndex::Find() const {
  for (int length = ngram_max_; length >= ngram_min_; --length) {
    const Entry* entry = last_[length] == 0 ? nullptr : Find(last_[length]);
    if (entry == nullptr || entry->latest < 0) continue;
    return {length, entry->latest, entry->frequent, entry->frequent_count};
  }
  return {};
}

NgramIndex::Entry& NgramIndex::At(uint64_t key) {
  const size_t mask = table_.size() - 1;
  size_t i = key >> 8 & mask;
  while (table_[i].key != key && table_[i].key != 0) i = (i + 1) & mask;
  if (table_[i].key == 0) {
    table_[i].key = key;
    ++used_;
  }
  return table_[i];
}

const NgramIndex::Entry* NgramIndex::Find(uint64_t key) const {
  const size_t mask = table_.size() - 1;
  size_t i = key >> 8 & mask;
  while (table_[i].key != key && table_[i].key != 0) i = (i + 1) & mask;
  return table_[i].key == key ? &table_[i] : nullptr;
}

// At most half of the table is used. Text repeats itself, so a third less is asked for than
// all-distinct n-grams would need; a text that does not grows the table once more.
void NgramIndex::Reserve(int num_tokens) {
  const size_t a_token = static_cast<size_t>(ngram_max_) - static_cast<size_t>(ngram_min_) + 2;
  const size_t room_for_one = 2 * (used_ + a_token);
  size_t wanted = std::max<size_t>(room_for_one, 64);
  if (table_.empty()) wanted = std::max(wanted, a_token * static_cast<size_t>(num_tokens) * 4 / 3);
  if (wanted <= table_.size()) return;
  std::vector<Entry> old(std::bit_ceil(wanted));
  old.swap(table_);
  const size_t mask = table_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.key == 0) continue;
    size_t i = entry.key >> 8 & mask;
    while (table_[i].key != 0) i = (i + 1) & mask;
    table_[i] = entry;
  }
}

int PromptLookup::Propose(std::span<const int32_t> tokens, int count_max,
                          std::vector<int32_t>& draft) {
  index_.Extend(tokens);
  const int size = static_cast<int>(tokens.size());
  int source = -1;
  int common = 0;
  const auto consider = [&](int end) {
    const int length = end > 0 && end < size ? CommonSuffix(tokens, end, kMatchMax) : 0;
    if (length <= common) return;
    common = length;
    source = end;
  };
  if (const NgramIndex::Match match = index_.Find(); match.length > 0) {
    if (match.frequent_count > 1) consider(match.frequent);
    consider(match.latest);
    // In step with a copy, if that has more in common; but never less than was asked for.
    if (source_offset_ < 0) consider(size + source_offset_);
  }
  source_offset_ = source < 0 ? 0 : source - size;
  if (source < 0) return 0;
  const size_t begin = draft.size();
  for (int i = 0; i < count_max; ++i) {
    const int at = source + i;
    draft.push_back(at < size ? tokens[at] : draft[begin + at - size]);
  }
  return common;
}

}  // namespace aio
