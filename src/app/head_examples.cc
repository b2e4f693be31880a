#include "app/head_examples.h"

#include <future>
#include <optional>
#include <utility>

#include "base/progress.h"

namespace aio {

namespace {

Result<std::vector<HiddenWindows>> ReadAndWait(const HeadReader& reader, const LabelledText& text) {
  Request request;
  request.id = "fit-head";
  request.model = reader.model;
  request.prompt = text.messages;
  std::promise<Result<std::vector<HiddenWindows>>> read;
  AIO_RETURN_IF_ERROR(reader.engine
                          .ReadHidden(request, reader.query,
                                      [&](Result<std::vector<HiddenWindows>> windows) {
                                        read.set_value(std::move(windows));
                                      })
                          .status());
  return read.get_future().get();
}

}  // namespace

std::vector<int> CandidateDepths(int num_layers) {
  constexpr int kStepsMax = 8;
  std::vector<int> depths = {0};
  const int steps = num_layers < kStepsMax ? num_layers : kStepsMax;
  for (int i = 1; i <= steps; ++i) depths.push_back(num_layers * i / steps);
  return depths;
}

Result<std::vector<HeadExample>> HeadReader::Read(const std::vector<LabelledText>& texts,
                                                  const std::string& what) const {
  std::vector<HeadExample> examples;
  ProgressBar progress(what, static_cast<int64_t>(texts.size()), clock);
  for (size_t i = 0; i < texts.size(); ++i) {
    progress.Update(static_cast<int64_t>(i));
    Result<std::vector<HiddenWindows>> windows = ReadAndWait(*this, texts[i]);
    if (windows.ok()) {
      examples.push_back(
          {.label = texts[i].label, .tunes = texts[i].tunes, .depths = *std::move(windows)});
    } else if (windows.status().reason() != "context_length_exceeded") {
      return windows.status();
    }
  }
  return examples;
}

}  // namespace aio
