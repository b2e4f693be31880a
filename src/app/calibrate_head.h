// The probe head of `aio calibrate --head`: fitted to the queries of the calibration.
#ifndef AIO_APP_CALIBRATE_HEAD_H_
#define AIO_APP_CALIBRATE_HEAD_H_

#include <string>

#include "app/fit_head_report.h"
#include "app/runtime.h"
#include "backend/backend.h"
#include "eval/query_set.h"

namespace aio {

// Fits a head to half of `set`'s fit split, chooses it by the tune split, measures it and the
// template on what is held out, writes its file to `path` and makes it `probe`'s. What it was
// fitted to is taken out of `set`: scores on texts that a head knows say too much of themselves.
Result<HeadReport> FitHeadTo(const std::string& path, Runtime& runtime, LabelQuery& probe,
                             QuerySet& set);

}  // namespace aio

#endif  // AIO_APP_CALIBRATE_HEAD_H_
