#include "stack/base/bytes.h"

#include "stack/base/check.h"

namespace rtclab {

std::optional<uint8_t> ByteReader::ReadU8() {
  if (remaining() < 1) return std::nullopt;
  return data_[offset_++];
}

std::optional<uint16_t> ByteReader::ReadU16() {
  if (remaining() < 2) return std::nullopt;
  offset_ += 2;
  return LoadU16(data_.data() + offset_ - 2);
}

std::optional<uint32_t> ByteReader::ReadU32() {
  if (remaining() < 4) return std::nullopt;
  offset_ += 4;
  return LoadU32(data_.data() + offset_ - 4);
}

std::optional<uint64_t> ByteReader::ReadU64() {
  if (remaining() < 8) return std::nullopt;
  offset_ += 8;
  return LoadU64(data_.data() + offset_ - 8);
}

std::optional<ByteView> ByteReader::ReadBytes(std::size_t count) {
  if (remaining() < count) return std::nullopt;
  offset_ += count;
  return data_.subspan(offset_ - count, count);
}

void ByteWriter::WriteU16(uint16_t v) {
  out_.resize(out_.size() + 2);
  StoreU16(out_.data() + out_.size() - 2, v);
}

void ByteWriter::WriteU32(uint32_t v) {
  out_.resize(out_.size() + 4);
  StoreU32(out_.data() + out_.size() - 4, v);
}

void ByteWriter::WriteU64(uint64_t v) {
  out_.resize(out_.size() + 8);
  StoreU64(out_.data() + out_.size() - 8, v);
}

void ByteWriter::PatchU16(std::size_t offset, uint16_t v) {
  CHECK(offset + 2 <= out_.size());
  StoreU16(out_.data() + offset, v);
}

std::string ToHex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

std::optional<Bytes> FromHex(std::string_view text) {
  Bytes out;
  int high = -1;
  for (char c : text) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ':') continue;
    int digit;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return std::nullopt;
    }
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return out;
}

}  // namespace rtclab
