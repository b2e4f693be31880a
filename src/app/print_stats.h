// What an answer took, for people: the block that --stats prints.
#ifndef AIO_APP_PRINT_STATS_H_
#define AIO_APP_PRINT_STATS_H_

#include <string>

#include "app/run_to_end.h"
#include "backend/events.h"

namespace aio {

// Of the tokens after the first, which comes with the prompt; 0 if there are none.
double DecodedTokensPerSecond(const FinishEvent& finish);

// Lines of a name and what it says, the last without its end: model and strategy, tokens, guesses
// and how many of them the steps kept, bytes read, times. What is not known is left out.
std::string FormatStats(const CompletedAnswer& answer);

}  // namespace aio

#endif  // AIO_APP_PRINT_STATS_H_
