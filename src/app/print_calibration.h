#ifndef AIO_APP_PRINT_CALIBRATION_H_
#define AIO_APP_PRINT_CALIBRATION_H_

#include <string>

#include "eval/calibration.h"
#include "eval/calibration_output.h"

namespace aio {

// A calibration as tables for a terminal.
std::string FormatCalibration(const CalibrationInput& input, const CalibrationReport& report,
                              const CalibrationSubject& subject);
void PrintCalibration(const CalibrationInput& input, const CalibrationReport& report,
                      const CalibrationSubject& subject);

}  // namespace aio

#endif  // AIO_APP_PRINT_CALIBRATION_H_
