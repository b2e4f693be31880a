// What a model file answers, for tests that compare files.
#ifndef AIO_CONVERT_TESTING_LOGITS_H_
#define AIO_CONVERT_TESTING_LOGITS_H_

#include <memory>
#include <string>
#include <vector>

#include "formats/gguf.h"

namespace aio {

// The logits after a few fixed tokens.
std::vector<float> LogitsOf(const std::shared_ptr<const GgufFile>& file);
std::vector<float> LogitsOf(const std::string& path);

// Root of the mean squared difference, relative to the size of `expected`.
double RelativeDifference(const std::vector<float>& actual, const std::vector<float>& expected);

}  // namespace aio

#endif  // AIO_CONVERT_TESTING_LOGITS_H_
