#include "app/calibrate_head.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "app/commands.h"
#include "app/head_fitting.h"
#include "app/write_text.h"
#include "router/head_file.h"

namespace aio {

namespace {

constexpr size_t kHeadTextsMax = 1000;  // of a label; more add little, and are read one by one

// Takes half of the fit split; the tune split, which chooses, stays.
std::vector<LabelledText> TakeHeadTexts(QuerySet& set) {
  std::vector<LabelledText> texts;
  std::vector<std::array<size_t, 2>> counts(set.labels.size());
  std::erase_if(set.queries, [&](const CalibrationQuery& query) {
    const bool tunes = query.split == Split::kTune;
    const auto label = static_cast<size_t>(
        std::find(set.labels.begin(), set.labels.end(), query.intent) - set.labels.begin());
    const bool half = query.hash.back() < '8';
    if (query.split == Split::kHeldOut || (!tunes && !half)) return false;
    if (++counts[label][tunes] > kHeadTextsMax) return false;
    texts.push_back({query.messages, static_cast<int>(label), tunes});
    if (!tunes) --set.data_sets[query.data_set].used[static_cast<size_t>(Split::kFit)];
    return !tunes;
  });
  return texts;
}

std::vector<LabelledText> HeldOutTexts(const QuerySet& set) {
  std::vector<LabelledText> texts;
  for (const CalibrationQuery& query : set.queries) {
    if (query.split != Split::kHeldOut) continue;
    const auto label = std::find(set.labels.begin(), set.labels.end(), query.intent);
    texts.push_back({query.messages, static_cast<int>(label - set.labels.begin()), false});
  }
  return texts;
}

}  // namespace

Result<HeadReport> FitHeadTo(const std::string& path, Runtime& runtime, LabelQuery& probe,
                             QuerySet& set) {
  HeadFitting fitting(runtime, probe, {});
  AIO_RETURN_IF_ERROR(fitting.Fit(TakeHeadTexts(set)));
  AIO_RETURN_IF_ERROR(fitting.Test(HeldOutTexts(set)));
  const HeadFile file = fitting.File();
  AIO_RETURN_IF_ERROR(WriteText(path, ToToml(file)));
  AIO_RETURN_IF_ERROR(AttachHead(file, probe));
  return fitting.report();
}

}  // namespace aio
