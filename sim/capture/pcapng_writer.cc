#include "sim/capture/pcapng_writer.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "stack/base/bytes.h"
#include "stack/base/pcapng.h"

namespace rtclab::sim {
namespace {

std::string ErrnoText(const std::filesystem::path& path) {
  return path.string() + ": " + std::strerror(errno);
}

}  // namespace

Result<std::unique_ptr<PcapngWriter>> PcapngWriter::Create(const std::filesystem::path& path) {
  std::filesystem::path partial = path;
  partial += ".partial";
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  if (file == nullptr) return Fail(ErrnoText(partial));
  std::unique_ptr<PcapngWriter> writer(new PcapngWriter(file, path, std::move(partial)));
  writer->WriteBlock(pcapng::SectionHeader("rtclab"));
  return writer;
}

PcapngWriter::PcapngWriter(std::FILE* file, std::filesystem::path path,
                           std::filesystem::path partial)
    : file_(file), path_(std::move(path)), partial_(std::move(partial)) {}

PcapngWriter::~PcapngWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

void PcapngWriter::WriteBlock(ByteView block) {
  if (std::fwrite(block.data(), 1, block.size(), file_) != block.size()) failed_ = true;
}

uint32_t PcapngWriter::InterfaceId(std::string_view name) {
  const auto it = interfaces_.find(name);
  if (it != interfaces_.end()) return it->second;
  const uint32_t id = static_cast<uint32_t>(interfaces_.size());
  interfaces_.emplace(name, id);
  WriteBlock(pcapng::InterfaceDescription(name));
  return id;
}

void PcapngWriter::OnPacket(std::string_view interface, TapDirection direction, Timestamp now,
                            ByteView packet, std::string_view comment) {
  if (file_ == nullptr) return;
  const uint32_t id = InterfaceId(interface);
  const uint64_t time = static_cast<uint64_t>(kEpochSeconds * 1'000'000'000 + now.nanos());
  pcapng::Direction way = pcapng::Direction::kNone;
  if (direction != TapDirection::kNone) {
    way =
        direction == TapDirection::kUp ? pcapng::Direction::kOutbound : pcapng::Direction::kInbound;
  }
  WriteBlock(pcapng::EnhancedPacket(id, time, way, packet, comment));
}

Result<void> PcapngWriter::Finish() {
  if (file_ == nullptr) return {};
  if (std::fclose(std::exchange(file_, nullptr)) != 0) failed_ = true;
  std::error_code error;
  if (!failed_) std::filesystem::rename(partial_, path_, error);
  if (!failed_ && !error) return {};
  const std::string reason =
      path_.string() + ": " + (error ? error.message() : "the capture could not be written");
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
  return Fail(reason);
}

}  // namespace rtclab::sim
