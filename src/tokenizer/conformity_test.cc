// The ids that other implementations give: those of tools/pocket for the bundled vocabulary,
// the models' own tokenizers for vocabularies kept outside the project.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "tokenizer/tokenizer.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

fs::path DataFolder() {
  // Another folder of the same format: AIO_TOKENIZER_CONFORMITY=DIR tokenizer_test
  if (const char* folder = std::getenv("AIO_TOKENIZER_CONFORMITY")) return folder;
  return fs::path(AIO_SOURCE_DIR) / ".." / "shared" / "data" / "tokenizer_conformity";
}

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Texts are separated by a line of their own.
std::vector<std::string> ReadTexts(const fs::path& path) {
  const std::string separator = "\n__ggml_vocab_test__\n";
  const std::string all = ReadAll(path);
  std::vector<std::string> texts;
  size_t begin = 0;
  for (size_t end; (end = all.find(separator, begin)) != std::string::npos;
       begin = end + separator.size()) {
    texts.push_back(all.substr(begin, end - begin));
  }
  return texts;
}

std::vector<std::vector<int32_t>> ReadIds(const fs::path& path) {
  std::vector<std::vector<int32_t>> lines;
  std::istringstream all(ReadAll(path));
  for (std::string line; std::getline(all, line);) {
    std::istringstream numbers(line);
    lines.emplace_back(std::istream_iterator<int32_t>(numbers), std::istream_iterator<int32_t>());
  }
  return lines;
}

// The texts are in `golden` + ".inp", their ids in `golden` + ".out".
void CheckVocabulary(const fs::path& path, const std::string& golden) {
  SCOPED_TRACE(path.filename());
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  const auto tokenizer = Tokenizer::Load(**file);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  const std::vector<std::string> texts = ReadTexts(golden + ".inp");
  const std::vector<std::vector<int32_t>> expected = ReadIds(golden + ".out");
  ASSERT_EQ(texts.size(), expected.size());
  ASSERT_GT(texts.size(), 0u);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<int32_t> ids = (*tokenizer)->EncodeText(texts[i], /*add_bos=*/false);
    EXPECT_EQ(ids, expected[i]) << "text " << i << ": \"" << texts[i] << "\"";
    EXPECT_EQ((*tokenizer)->Decode(ids), texts[i]);
  }
}

// The bundled models share one vocabulary. After a change of it or of the texts:
//   python3 tools/pocket/evaluate.py models/pocket-small-f16.gguf
//       --encode src/tokenizer/golden/pocket.inp > src/tokenizer/golden/pocket.out
TEST(ConformityTest, GivesTheIdsOfThePythonThatTrainedPocket) {
  const fs::path root(AIO_SOURCE_DIR);
  CheckVocabulary(root / "models" / "pocket-small-f16.gguf",
                  root / "src" / "tokenizer" / "golden" / "pocket");
}

TEST(ConformityTest, GivesTheIdsOfTheModelsOwnTokenizers) {
  if (!fs::exists(DataFolder())) GTEST_SKIP() << DataFolder() << " is absent";
  int vocabularies = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(DataFolder())) {
    if (entry.path().extension() != ".gguf") continue;
    CheckVocabulary(entry.path(), entry.path().string());
    ++vocabularies;
  }
  EXPECT_GT(vocabularies, 0);
}

}  // namespace
}  // namespace aio
