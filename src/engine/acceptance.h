// How often guesses come true, by what is known of a guess when it is made: how long the match
// is that it was copied from, or how sure the draft model was of it.
#ifndef AIO_ENGINE_ACCEPTANCE_H_
#define AIO_ENGINE_ACCEPTANCE_H_

#include <array>
#include <map>
#include <string>
#include <string_view>

namespace aio {

// A class of guesses that come true about equally often.
struct GuessClass {
  static constexpr int kNumMatchClasses = 12;
  static constexpr int kNumDraftClasses = 10;
  // All guesses of the draft model together: what to expect before it has made any.
  static constexpr int kAnyOfModel = kNumMatchClasses + kNumDraftClasses;
  static constexpr int kCount = kAnyOfModel + 1;

  // Of prompt lookup: the tokens that the place copied from has in common with the text, >= 1,
  // those guessed before it included.
  static int OfMatch(int length);
  // Of a draft model: the probability that it gave its guess, 0..1.
  static int OfDraft(float probability);
};

// Counts that fade: of a class with many observations the latest few dozen tell.
class Acceptance {
 public:
  // Starts with what such guesses are worth in general, at little weight.
  Acceptance();
  // Starts with what `prior` has seen, at the weight of `prior_weight` observations at most;
  // `fade` in (0, 1] is what an observation is worth when the next comes.
  Acceptance(const Acceptance& prior, double prior_weight, double fade);

  void Observe(int guess_class, bool accepted);
  // In (0, 1): of a guess of this class, provided that those before it came true.
  float chance(int guess_class) const;

 private:
  struct Count {
    double accepted = 0;
    double tried = 0;
  };
  double fade_ = 0.995;
  std::array<Count, GuessClass::kCount> counts_;
};

// What is learnt of speculation, from one request or many.
struct Experience {
  Acceptance acceptance;
  // For how many steps on end the draft model is asked once it is: over so many the time is
  // spread that it takes to read what it missed. Answers that prompt lookup does well in are a
  // case of their own: it comes back soon.
  double model_run = 16;
  double run_after_lookup = 3;
};

// What was learnt from the requests of each intent, for the next ones of it. Not thread-safe.
class ExperienceByIntent {
 public:
  // `intent` may be empty: not known. The reference stays valid.
  Experience& Of(std::string_view intent);

 private:
  std::map<std::string, Experience, std::less<>> by_intent_;
};

}  // namespace aio

#endif  // AIO_ENGINE_ACCEPTANCE_H_
