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
  // Of one request: starts with what `prior` has seen of others, at the weight of `prior_weight`
  // observations at most. Requests differ more than classes: one whose guesses of some classes
  // fail more often than the prior says is expected to do no better in those not seen yet. `fade`
  // in (0, 1] is what an observation is worth when the next comes.
  Acceptance(const Acceptance& prior, double prior_weight, double fade);

  void Observe(int guess_class, bool accepted);
  // In (0, 1): of a guess of this class, provided that those before it came true.
  float chance(int guess_class) const;

 private:
  struct Count {
    double accepted = 0;
    double tried = 0;

    void Observe(bool came_true, double fade);
  };
  struct Prior {
    double chance = 0;
    double weight = 0;  // observations
  };
  // Of all guesses from one source: what came true, and what the priors had expected to.
  struct Source {
    double accepted = 0;
    double expected = 0;
  };

  double PriorChance(int guess_class) const;
  static int SourceOf(int guess_class) {
    return guess_class < GuessClass::kNumMatchClasses ? 0 : 1;
  }

  double fade_ = 0.995;
  bool is_of_request_ = false;
  std::array<Prior, GuessClass::kCount> priors_;
  std::array<Count, GuessClass::kCount> counts_;
  std::array<Source, 2> sources_;
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
