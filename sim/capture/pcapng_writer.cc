#include "sim/capture/pcapng_writer.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "stack/base/bytes.h"
#include "stack/base/pcapng.h"

namespace rtclab::sim {
namespace {

Bytes SectionHeader() { return pcapng::SectionHeader("rtclab"); }

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
  writer->WriteBlock(SectionHeader());
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

void PcapngWriter::Failed() {
  if (error_ == 0) error_ = errno != 0 ? errno : EIO;
}

void PcapngWriter::WriteBlock(ByteView block) {
  if (std::fwrite(block.data(), 1, block.size(), file_) != block.size()) Failed();
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

void PcapngWriter::AddSecret(std::string_view line) {
  secrets_ += line;
  secrets_ += '\n';
}

// Secrets count for the packets behind them, and they are known only after the handshake: the file is written anew with them
// behind its header.
bool PcapngWriter::PutSecretsFirst() {
  if (std::fclose(std::exchange(file_, nullptr)) != 0) return false;
  std::FILE* plain = std::fopen(partial_.c_str(), "rb");
  // The old file has no name any more, and goes with its handle.
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
  file_ = std::fopen(partial_.c_str(), "wb");
  const Bytes header = SectionHeader();
  bool good = plain != nullptr && file_ != nullptr &&
              std::fseek(plain, static_cast<long>(header.size()), SEEK_SET) == 0;
  if (good) {
    WriteBlock(header);
    WriteBlock(pcapng::TlsSecrets(secrets_));
    Bytes part(1 << 16);
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), plain)) {
      WriteBlock(ByteView(part).first(got));
    }
    good = std::ferror(plain) == 0;
  }
  if (plain != nullptr) std::fclose(plain);
  return good;
}

Result<void> PcapngWriter::Finish() {
  if (file_ == nullptr) return {};
  if (!secrets_.empty() && error_ == 0 && !PutSecretsFirst()) Failed();
  if (file_ != nullptr && std::fclose(std::exchange(file_, nullptr)) != 0) Failed();
  std::error_code error(error_, std::generic_category());
  if (!error) std::filesystem::rename(partial_, path_, error);
  if (!error) return {};
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
  return Fail(path_.string() + ": cannot write: " + error.message());
}

}  // namespace rtclab::sim
