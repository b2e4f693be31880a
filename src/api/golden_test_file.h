// Answers byte for byte, as files in golden/. For tests of api/.
#ifndef AIO_API_GOLDEN_TEST_FILE_H_
#define AIO_API_GOLDEN_TEST_FILE_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace aio {

// Expects `bytes` to be what golden/`name` holds, but for a line end after them. A change that is
// meant is written with AIO_WRITE_GOLDEN=1 and read before it is committed. `folder` is golden/'s.
inline void ExpectGolden(const std::string& folder, const std::string& name,
                         const std::string& bytes) {
  const std::string path = folder + "/" + name;
  if (std::getenv("AIO_WRITE_GOLDEN") != nullptr) {  // NOLINT(concurrency-mt-unsafe): one thread
    std::ofstream(path, std::ios::binary) << bytes << '\n';
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(bytes + '\n', expected.str()) << path;
}

}  // namespace aio

#endif  // AIO_API_GOLDEN_TEST_FILE_H_
