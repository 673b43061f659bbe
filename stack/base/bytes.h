// Reading and writing network byte order with the bounds checked by type.
#ifndef RTCLAB_STACK_BASE_BYTES_H_
#define RTCLAB_STACK_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rtclab {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

// Big-endian loads and stores; the caller has checked the bounds.
constexpr uint16_t LoadU16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
constexpr uint32_t LoadU32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}
constexpr uint64_t LoadU64(const uint8_t* p) { return uint64_t{LoadU32(p)} << 32 | LoadU32(p + 4); }
constexpr void StoreU16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
constexpr void StoreU32(uint8_t* p, uint32_t v) {
  StoreU16(p, static_cast<uint16_t>(v >> 16));
  StoreU16(p + 2, static_cast<uint16_t>(v));
}
constexpr void StoreU64(uint8_t* p, uint64_t v) {
  StoreU32(p, static_cast<uint32_t>(v >> 32));
  StoreU32(p + 4, static_cast<uint32_t>(v));
}

inline ByteView AsBytes(std::string_view s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}
inline std::string_view AsString(ByteView b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

// Reads forward through a view it does not own. A read past the end gives nullopt and moves
// nothing.
class ByteReader {
 public:
  explicit ByteReader(ByteView data) : data_(data) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return data_.size() - offset_; }
  bool empty() const { return remaining() == 0; }

  std::optional<uint8_t> ReadU8();
  std::optional<uint16_t> ReadU16();
  std::optional<uint32_t> ReadU32();
  std::optional<uint64_t> ReadU64();
  std::optional<ByteView> ReadBytes(std::size_t count);

 private:
  ByteView data_;
  std::size_t offset_ = 0;
};

// Appends to a buffer it owns.
class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(std::size_t reserve) { out_.reserve(reserve); }

  std::size_t size() const { return out_.size(); }
  void WriteU8(uint8_t v) { out_.push_back(v); }
  void WriteU16(uint16_t v);
  void WriteU32(uint32_t v);
  void WriteU64(uint64_t v);
  void WriteBytes(ByteView v) { out_.insert(out_.end(), v.begin(), v.end()); }
  void WriteZeros(std::size_t count) { out_.insert(out_.end(), count, 0); }
  // Overwrites two bytes written before; `offset` + 2 <= size().
  void PatchU16(std::size_t offset, uint16_t v);

  ByteView view() const { return out_; }
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
};

// Lower-case hexadecimal without separators.
std::string ToHex(ByteView bytes);
// Reads hexadecimal, ignoring white space and colons; nullopt on any other character or an odd
// count.
std::optional<Bytes> FromHex(std::string_view text);

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_BYTES_H_
