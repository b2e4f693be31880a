// The file of a probe head: which model it belongs to, what it tells apart, its weights.
//
//   version = 1
//   [head]
//   layers = 2
//   hidden_size = 192
//   window_tokens = 16
//   [model]
//   name = "pocket-small"
//   num_layers = 4
//   vocabulary = "5f0c..."      # its fingerprint, hexadecimal
//   fingerprint = "..."         # of the model; may be left out: not known when it was made
//   [evidence]                  # may be left out; for people
//   date = "2026-11-29"
//   rows = 2400                 # that it was fitted on
//   accuracy = 0.991            # of labels, on rows that chose between fits
//   [[label]]
//   name = "code"
//   bias = 0.25
//   weights = [0.125, ...]      # [hidden_size]
#ifndef AIO_ROUTER_HEAD_FILE_H_
#define AIO_ROUTER_HEAD_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/probe_head.h"
#include "base/status.h"

namespace aio {

struct HeadEvidence {
  std::string date;     // empty: no evidence
  int rows = 0;         // fitted on
  double accuracy = 0;  // 0..1, on rows that chose between fits
};

struct HeadFile {
  ProbeHead head;
  std::vector<std::string> labels;  // plain names, in the order of the head's
  // The model it was fitted on.
  std::string model;
  int num_layers = 0;
  uint64_t vocabulary_fingerprint = 0;
  std::string model_fingerprint;  // empty: unknown
  HeadEvidence evidence;
};

// Strict: errors name `source`, line, key and mend. What is returned is a sound head of at least
// two labels.
Result<HeadFile> HeadFileFromToml(std::string_view text, const std::string& source);
Result<HeadFile> ReadHeadFile(const std::string& path);  // of at most 1 MiB
// What HeadFileFromToml() reads back to the same bits.
std::string ToToml(const HeadFile& file);

// kInvalidArgument, saying how to mend it, when the head was fitted on another model.
Status CheckHeadIsFor(const HeadFile& file, const ModelInfo& model);

// Gives `query` the head. Labels that it has already must be the head's, in any order; without any
// it gets the head's, with no words.
Status AttachHead(const HeadFile& file, LabelQuery& query);

}  // namespace aio

#endif  // AIO_ROUTER_HEAD_FILE_H_
