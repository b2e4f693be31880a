// The report as a JSON object, for the two files of this layer that print it.
#ifndef AIO_EVAL_CALIBRATION_JSON_H_
#define AIO_EVAL_CALIBRATION_JSON_H_

#include <nlohmann/json.hpp>

#include "eval/calibration_output.h"

namespace aio {

nlohmann::ordered_json CalibrationObject(const CalibrationInput& input,
                                         const CalibrationReport& report,
                                         const CalibrationSubject& subject);

}  // namespace aio

#endif  // AIO_EVAL_CALIBRATION_JSON_H_
