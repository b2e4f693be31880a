#include "formats/gguf_fingerprint.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <set>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_writer.h"
#include "formats/tensor_type.h"

namespace aio {
namespace {

struct File {
  std::string name = "tiny";
  std::string tensor = "output";
  std::array<uint64_t, 2> dims = {512, 256};
  std::vector<std::byte> data = std::vector<std::byte>(512 * 256 * sizeof(float));
};

std::string Fingerprint(const File& file) {
  GgufWriter writer;
  writer.SetString("general.name", file.name);
  writer.AddTensor(file.tensor, static_cast<uint32_t>(TensorType::kF32), file.dims, file.data);
  const std::vector<std::byte> bytes = writer.Encode();
  return GgufFingerprint(*GgufFile::Parse(bytes, "tiny.gguf").value());
}

TEST(GgufFingerprint, DependsOnTheContentAlone) {
  EXPECT_EQ(Fingerprint(File()), Fingerprint(File()));
  EXPECT_EQ(Fingerprint(File()).size(), 64u);
}

TEST(GgufFingerprint, DiffersWithMetadataShapesAndWeights) {
  std::vector<File> files(6);
  files[1].name = "other";
  files[2].tensor = "token_embd";
  files[3].dims = {256, 512};
  files[4].data.front() = std::byte{1};
  files[5].data.back() = std::byte{1};
  std::set<std::string> fingerprints;
  for (const File& file : files) fingerprints.insert(Fingerprint(file));
  EXPECT_EQ(fingerprints.size(), files.size());
}

TEST(GgufFingerprint, SmallTensorsAreReadWhole) {
  File file;
  file.dims = {16, 8};
  file.data.resize(16 * 8 * sizeof(float));
  const std::string before = Fingerprint(file);
  for (size_t i = 0; i < file.data.size(); i += 4) {
    File changed = file;
    changed.data[i] = std::byte{1};
    EXPECT_NE(Fingerprint(changed), before) << i;
  }
}

}  // namespace
}  // namespace aio
