// Where python3 is, and what of the file system it needs.
#ifndef AIO_SANDBOX_PYTHON_HOME_H_
#define AIO_SANDBOX_PYTHON_HOME_H_

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aio {

struct PythonHome {
  std::string executable;              // the interpreter itself, no link or wrapper script
  std::vector<std::string> read_only;  // files and folders, none inside another
  std::vector<std::pair<std::string, std::string>> links;  // path, and what it points to
};

// `python`: a path, or a name to look up in PATH. Runs it once, in this process's environment,
// and asks it: what PATH finds may be a wrapper (pyenv) or belong to a virtual environment.
Result<PythonHome> FindPython(const std::string& python);

}  // namespace aio

#endif  // AIO_SANDBOX_PYTHON_HOME_H_
