#ifndef AIO_PAPER_EMBEDDED_TABLES_H_
#define AIO_PAPER_EMBEDDED_TABLES_H_

#include <string_view>

namespace aio {

// The text of data/paper/arxiv-2604.09752.json, embedded when the program was built.
std::string_view PaperTablesJson();

}  // namespace aio

#endif  // AIO_PAPER_EMBEDDED_TABLES_H_
