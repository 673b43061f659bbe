#include "stack/sctp/wire.h"

#include "stack/base/check.h"

namespace rtclab::sctp {

std::optional<Tlv> TlvReader::Next() {
  if (malformed_ || offset_ >= data_.size()) return std::nullopt;
  const std::size_t left = data_.size() - offset_;
  if (left < 4) {
    malformed_ = true;
    return std::nullopt;
  }
  const uint8_t* p = data_.data() + offset_;
  const std::size_t length = LoadU16(p + 2);
  if (length < 4 || length > left) {
    malformed_ = true;
    return std::nullopt;
  }
  Tlv tlv{LoadU16(p), data_.subspan(offset_ + 4, length - 4), data_.subspan(offset_, length),
          offset_};
  offset_ += Padded(length);
  return tlv;
}

ChunkWriter::ChunkWriter(Bytes& out, ChunkType type, uint8_t flags)
    : out_(out), start_(out.size()) {
  const uint8_t header[4] = {static_cast<uint8_t>(type), flags, 0, 0};
  Raw(header);
}

void ChunkWriter::U16(uint16_t v) {
  uint8_t b[2];
  StoreU16(b, v);
  Raw(b);
}

void ChunkWriter::U32(uint32_t v) {
  uint8_t b[4];
  StoreU32(b, v);
  Raw(b);
}

void ChunkWriter::AppendTlv(uint16_t type, ByteView value) {
  BeginTlv(type);
  Raw(value);
  EndTlv();
}

void ChunkWriter::BeginTlv(uint16_t type) {
  out_.resize(start_ + Padded(out_.size() - start_));
  tlv_ = out_.size();
  U16(type);
  U16(0);
}

void ChunkWriter::EndTlv() {
  const std::size_t length = out_.size() - tlv_;
  CHECK(length <= 0xFFFF);
  StoreU16(out_.data() + tlv_ + 2, static_cast<uint16_t>(length));
}

void ChunkWriter::Finish() {
  const std::size_t length = out_.size() - start_;
  CHECK(length <= 0xFFFF);
  StoreU16(out_.data() + start_ + 2, static_cast<uint16_t>(length));
  out_.resize(start_ + Padded(length));
}

}  // namespace rtclab::sctp
