// What the JSON of published and of measured tables have in common. Internal to paper/.
#ifndef AIO_PAPER_FIGURE_TABLES_JSON_H_
#define AIO_PAPER_FIGURE_TABLES_JSON_H_

#include "paper/figure_tables.h"
#include "paper/strict_json.h"

namespace aio {

// Reads "accuracy_tps", "scenarios" and "ablations", those that are there, from `root`. Figures
// may be null if `may_be_null`.
void ReadFigureTables(StrictObject& root, bool may_be_null, FirstFault& fault,
                      FigureTables& tables);

}  // namespace aio

#endif  // AIO_PAPER_FIGURE_TABLES_JSON_H_
