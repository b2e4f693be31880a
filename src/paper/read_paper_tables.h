// The fields of a paper's tables. Internal to paper/.
#ifndef AIO_PAPER_READ_PAPER_TABLES_H_
#define AIO_PAPER_READ_PAPER_TABLES_H_

#include "paper/paper_tables.h"
#include "paper/strict_json.h"

namespace aio {

// What the fields refer to is not checked.
void ReadPaperTables(const StrictJson& json, FirstFault& fault, PaperTables& tables);

}  // namespace aio

#endif  // AIO_PAPER_READ_PAPER_TABLES_H_
