#include "sim/capture/pcapng_writer.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stack/base/bytes.h"

namespace rtclab::sim {
namespace {

// Block types, options and values: draft-ietf-opsawg-pcapng sections 3.5, 4.1, 4.2, 4.3, 4.7.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1, kEnhancedPacket = 6,
                   kDecryptionSecrets = 10;
constexpr uint32_t kTlsKeyLog = 0x544c534b;
constexpr uint16_t kEnd = 0, kComment = 1, kUserApplication = 4, kName = 2, kTimeResolution = 9,
                   kEpbFlags = 2;
constexpr uint16_t kLinkTypeRaw = 101;
constexpr uint32_t kInbound = 1, kOutbound = 2;

// A section says by its magic number which byte order it has; ours is little-endian everywhere.
class LittleEndian {
 public:
  LittleEndian& U8(uint8_t v) {
    out_.push_back(v);
    return *this;
  }
  LittleEndian& U16(uint16_t v) {
    return U8(static_cast<uint8_t>(v)).U8(static_cast<uint8_t>(v >> 8));
  }
  LittleEndian& U32(uint32_t v) {
    return U16(static_cast<uint16_t>(v)).U16(static_cast<uint16_t>(v >> 16));
  }
  LittleEndian& Padded(ByteView bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    while (out_.size() % 4 != 0) out_.push_back(0);
    return *this;
  }
  LittleEndian& Option(uint16_t code, ByteView value) {
    const std::size_t size = std::min<std::size_t>(value.size(), 65535);
    return U16(code).U16(static_cast<uint16_t>(size)).Padded(value.first(size));
  }
  LittleEndian& EndOfOptions() { return U16(kEnd).U16(0); }
  ByteView view() const { return out_; }

 private:
  Bytes out_;
};

Bytes SectionHeader() {
  LittleEndian body;
  // Byte-order magic, version 1.0, section length not given.
  body.U32(0x1a2b3c4d).U16(1).U16(0).U32(0xffffffff).U32(0xffffffff);
  body.Option(kUserApplication, AsBytes("rtclab")).EndOfOptions();
  return {body.view().begin(), body.view().end()};
}
constexpr std::size_t kBlockFrame = 12;  // type and length before a block's body, length after it

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
  writer->WriteBlock(kSectionHeader, SectionHeader());
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

void PcapngWriter::WriteBlock(uint32_t type, ByteView body) {
  const uint32_t total = static_cast<uint32_t>(body.size() + kBlockFrame);
  LittleEndian head, tail;
  head.U32(type).U32(total);
  tail.U32(total);
  for (const ByteView part : {head.view(), body, tail.view()}) {
    if (std::fwrite(part.data(), 1, part.size(), file_) != part.size()) failed_ = true;
  }
}

uint32_t PcapngWriter::InterfaceId(std::string_view name) {
  const auto it = interfaces_.find(name);
  if (it != interfaces_.end()) return it->second;
  const uint32_t id = static_cast<uint32_t>(interfaces_.size());
  interfaces_.emplace(name, id);
  LittleEndian body;
  const uint8_t nanoseconds[] = {9};
  body.U16(kLinkTypeRaw).U16(0).U32(0);  // no snap length
  body.Option(kName, AsBytes(name)).Option(kTimeResolution, nanoseconds).EndOfOptions();
  WriteBlock(kInterfaceDescription, body.view());
  return id;
}

void PcapngWriter::OnPacket(std::string_view interface, TapDirection direction, Timestamp now,
                            ByteView packet, std::string_view comment) {
  if (file_ == nullptr) return;
  const uint32_t id = InterfaceId(interface);
  const uint64_t time = static_cast<uint64_t>(kEpochSeconds * 1'000'000'000 + now.nanos());
  const uint32_t size = static_cast<uint32_t>(packet.size());
  LittleEndian body;
  body.U32(id).U32(static_cast<uint32_t>(time >> 32)).U32(static_cast<uint32_t>(time));
  body.U32(size).U32(size).Padded(packet);
  if (direction != TapDirection::kNone) {
    LittleEndian flags;
    flags.U32(direction == TapDirection::kUp ? kOutbound : kInbound);
    body.Option(kEpbFlags, flags.view());
  }
  if (!comment.empty()) body.Option(kComment, AsBytes(comment));
  if (direction != TapDirection::kNone || !comment.empty()) body.EndOfOptions();
  WriteBlock(kEnhancedPacket, body.view());
}

void PcapngWriter::AddSecret(std::string_view line) {
  secrets_ += line;
  secrets_ += '\n';
}

// Secrets count for the packets behind them (section 4.7), and they are known only after the handshake: the file is written anew
// with them behind its header.
bool PcapngWriter::PutSecretsFirst() {
  const std::size_t header = SectionHeader().size() + kBlockFrame;
  std::FILE* plain = std::exchange(file_, nullptr);
  bool good = std::fclose(plain) == 0;
  plain = std::fopen(partial_.c_str(), "rb");
  // The old file has no name any more, and goes with its handle.
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
  file_ = std::fopen(partial_.c_str(), "wb");
  if (plain != nullptr && file_ != nullptr &&
      std::fseek(plain, static_cast<long>(header), SEEK_SET) == 0) {
    WriteBlock(kSectionHeader, SectionHeader());
    LittleEndian body;
    body.U32(kTlsKeyLog).U32(static_cast<uint32_t>(secrets_.size())).Padded(AsBytes(secrets_));
    WriteBlock(kDecryptionSecrets, body.view());
    Bytes part(1 << 16);
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), plain)) {
      if (std::fwrite(part.data(), 1, got, file_) != got) failed_ = true;
    }
    good = good && std::ferror(plain) == 0;
  } else {
    good = false;
  }
  if (plain != nullptr) std::fclose(plain);
  return good;
}

Result<void> PcapngWriter::Finish() {
  if (file_ == nullptr) return {};
  if (!secrets_.empty() && !failed_ && !PutSecretsFirst()) failed_ = true;
  if (file_ != nullptr && std::fclose(std::exchange(file_, nullptr)) != 0) failed_ = true;
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
