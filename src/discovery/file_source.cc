// Replicas from a file that is looked at again and again.
#include <memory>
#include <utility>

#include "base/file_watch.h"
#include "base/toml_table.h"
#include "discovery/replica_source.h"
#include "discovery/replica_tables.h"

namespace aio {
namespace {

class FileSource final : public PollingSource {
 public:
  explicit FileSource(const DiscoverySettings& settings)
      : PollingSource(settings.interval), path_(settings.name), watch_({settings.name}) {
    defaults_.weight = settings.weight;
    defaults_.zone = settings.zone;
    defaults_.strategy = settings.strategy;
  }

  // After the watch has begun, so that no change between them is missed.
  Status ReadFirst() {
    AIO_ASSIGN_OR_RETURN(first_, Read());
    return Status::Ok();
  }

 protected:
  Status Look(ReplicaFeed& feed, const std::stop_token&) override {
    if (first_) {
      feed.Publish(*std::exchange(first_, std::nullopt));
      return Status::Ok();
    }
    // A file that could not be read may be readable now although it is the same: too many files
    // were open, or a disk failed for a while. One that is being written is waited for.
    const bool stays = !watch_.Differ();
    const bool changed = watch_.Poll();
    if (!changed && (last_.ok() || !stays)) return last_;
    Result<std::vector<ReplicaSpec>> read = Read();
    last_ = read.status();
    if (read.ok()) feed.Publish(std::move(read).value());
    return last_;
  }

 private:
  Result<std::vector<ReplicaSpec>> Read() const {
    AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path_));
    return ParseReplicaFile(text, path_, defaults_);
  }

  const std::string path_;
  FileWatch watch_;
  ReplicaSpec defaults_;
  std::optional<std::vector<ReplicaSpec>> first_;  // until it is told
  Status last_;                                    // of the last time that it was read
};

}  // namespace

Result<std::unique_ptr<ReplicaSource>> MakeFileSource(const DiscoverySettings& settings) {
  auto source = std::make_unique<FileSource>(settings);
  AIO_RETURN_IF_ERROR(source->ReadFirst());
  return std::unique_ptr<ReplicaSource>(std::move(source));
}

}  // namespace aio
