#include "conformance/report/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/report/describe_attribute.h"
#include "stack/stun/demux.h"
#include "stack/stun/message.h"
#include "stack/turn/channel_data.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

constexpr std::string_view kIndent = "  ";

std::string_view ClassName(stun::MessageClass message_class) {
  switch (message_class) {
    case stun::MessageClass::kRequest:
      return "request";
    case stun::MessageClass::kIndication:
      return "indication";
    case stun::MessageClass::kSuccessResponse:
      return "success response";
    case stun::MessageClass::kErrorResponse:
      return "error response";
  }
  return "";
}

std::string TypeText(uint16_t type) {
  const stun::Method method = stun::DecodeMethod(type);
  std::string name(stun::ToString(method));
  if (name == "unknown") name = fmt::format("method 0x{:03x}", static_cast<uint16_t>(method));
  return name + " " + std::string(ClassName(stun::DecodeMessageClass(type)));
}

// Reads attributes one by one, also those behind MESSAGE-INTEGRITY, up to the end or to what does not fit.
class AttributeWalk {
 public:
  AttributeWalk(ByteView message, const stun::TransactionId& id) : message_(message), id_(id) {}

  Lines Describe(const std::optional<stun::MessageView>& view) {
    Lines lines;
    while (offset_ + 4 <= message_.size()) {
      const auto type = static_cast<AttributeType>(LoadU16(message_.data() + offset_));
      const std::size_t length = LoadU16(message_.data() + offset_ + 2);
      if (length > message_.size() - offset_ - 4) break;
      const ByteView value = message_.subspan(offset_ + 4, length);
      std::string line =
          fmt::format("{}{}: {}", kIndent, AttributeName(type), DescribeValue(type, value, id_));
      if (type == AttributeType::kFingerprint && view) {
        line += view->VerifyFingerprint() ? " (right)" : " (WRONG)";
      }
      const std::size_t padded = (length + 3) & ~std::size_t{3};
      const std::size_t end = std::min(offset_ + 4 + padded, message_.size());
      const ByteView padding = message_.subspan(offset_ + 4 + length, end - offset_ - 4 - length);
      if (std::any_of(padding.begin(), padding.end(), [](uint8_t b) { return b != 0; })) {
        line += fmt::format("; padding {}", ToHex(padding));
      }
      if (protected_ && type != AttributeType::kFingerprint &&
          type != AttributeType::kMessageIntegrity &&
          type != AttributeType::kMessageIntegritySha256) {
        line += "; behind the integrity attribute";
      }
      protected_ |= type == AttributeType::kMessageIntegrity ||
                    type == AttributeType::kMessageIntegritySha256;
      if (type == AttributeType::kErrorCode && error_.empty()) {
        error_ = DescribeValue(type, value, id_);
      }
      lines.push_back(std::move(line));
      offset_ = end;
    }
    return lines;
  }

  // Of the first ERROR-CODE; empty: none.
  const std::string& error() const { return error_; }

 private:
  ByteView message_;
  const stun::TransactionId& id_;
  std::size_t offset_ = stun::kHeaderSize;
  bool protected_ = false;
  std::string error_;
};

// A message that begins with a byte from 0 to 3. The header is there, or not.
Lines DescribeStun(ByteView bytes) {
  const Result<stun::MessageView> parsed = stun::MessageView::Parse(bytes);
  const Result<stun::MessageView> classic =
      parsed ? parsed : stun::MessageView::ParseClassic(bytes);
  const bool is_classic = !parsed && classic && LoadU32(bytes.data() + 4) != stun::kMagicCookie;
  const std::optional<stun::MessageView> view = parsed       ? std::optional(*parsed)
                                                : is_classic ? std::optional(*classic)
                                                             : std::nullopt;
  Lines lines(1);
  if (bytes.size() >= stun::kHeaderSize) {
    stun::TransactionId id{};
    std::copy_n(bytes.begin() + 8, id.size(), id.begin());
    lines[0] = TypeText(LoadU16(bytes.data()));
    AttributeWalk walk(bytes, id);
    Lines attributes = walk.Describe(view);
    if (!walk.error().empty()) lines[0] += ", " + walk.error();
    if (is_classic) lines[0] += ", without magic cookie (RFC 3489)";
    lines[0] += ", " + BytesText(bytes.size());
    lines.push_back(fmt::format("{}transaction {}", kIndent, ToHex(id)));
    Append(lines, std::move(attributes));
  } else {
    lines[0] = BytesText(bytes.size()) + " that begin like STUN";
  }
  if (view) return lines;
  const Error& error = parsed.error();
  lines[0] = "malformed: " + lines[0];
  lines.push_back(fmt::format("{}fault at byte {}: {}", kIndent, error.offset, error.reason));
  Append(lines, HexDump(bytes, error.offset), kIndent);
  return lines;
}

Lines DescribeChannelData(ByteView bytes) {
  const auto parsed = turn::ParseChannelData(bytes);
  if (parsed) {
    const std::size_t rest = bytes.size() - turn::kChannelDataHeaderSize - parsed->payload.size();
    Lines lines{fmt::format("ChannelData on 0x{:04x}, {} of data",
                            static_cast<uint16_t>(parsed->channel),
                            BytesText(parsed->payload.size()))};
    if (rest > 0) lines[0] += fmt::format(" and {} of padding", BytesText(rest));
    Append(lines, HexDump(parsed->payload, std::nullopt, 64), kIndent);
    return lines;
  }
  Lines lines{"malformed: ChannelData, " + BytesText(bytes.size())};
  lines.push_back(
      fmt::format("{}fault at byte {}: {}", kIndent, parsed.error().offset, parsed.error().reason));
  Append(lines, HexDump(bytes, parsed.error().offset), kIndent);
  return lines;
}

// The size of the message that a stream goes on with, padding included; 0: fewer bytes than a head; nullopt: no message begins like this.
std::optional<std::size_t> MessageSize(ByteView stream) {
  if (stream.empty()) return 0;
  if (stream[0] <= 3) {
    if (stream.size() < stun::kHeaderSize) return 0;
    if (LoadU32(stream.data() + 4) != stun::kMagicCookie || stream[3] % 4 != 0) return std::nullopt;
    return stun::kHeaderSize + LoadU16(stream.data() + 2);
  }
  if (!turn::LooksLikeChannelData(stream)) return std::nullopt;
  if (stream.size() < turn::kChannelDataHeaderSize) return 0;
  const std::size_t length = LoadU16(stream.data() + 2);
  return turn::kChannelDataHeaderSize + ((length + 3) & ~std::size_t{3});
}

}  // namespace

StreamPieces DescribePieces(ByteView stream) {
  StreamPieces pieces;
  while (!stream.empty()) {
    const auto size = MessageSize(stream);
    if (!size) {
      pieces.lost = true;
      Lines fault{fmt::format("malformed: {} of the stream that begin no message",
                              BytesText(stream.size()))};
      Append(fault, HexDump(stream, std::size_t{0}), kIndent);
      Append(pieces.lines, std::move(fault));
      return pieces;
    }
    if (*size == 0 || *size > stream.size()) break;
    const ByteView message = stream.first(*size);
    Append(pieces.lines, DescribeDatagram(message));
    stream = stream.subspan(*size);
    if (message[0] <= 3 &&
        LoadU16(message.data()) == stun::EncodeMessageType(stun::MessageClass::kSuccessResponse,
                                                           stun::Method::kConnectionBind)) {
      pieces.bound = true;
      break;
    }
  }
  pieces.rest = stream;
  return pieces;
}

std::string DescribeIncomplete(ByteView rest) {
  const std::size_t size = MessageSize(rest).value_or(0);
  const std::string_view what = rest[0] <= 3 ? "a STUN message" : "a ChannelData message";
  if (size == 0) return fmt::format("incomplete: the first {} of {}", BytesText(rest.size()), what);
  return fmt::format("incomplete: {} of {} bytes of {}", rest.size(), size, what);
}

std::string BytesText(std::size_t bytes) {
  return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
}

void Append(Lines& lines, Lines&& more, std::string_view indent) {
  for (std::string& line : more) {
    lines.push_back(indent.empty() ? std::move(line) : std::string(indent) + line);
  }
}

Lines DescribeData(ByteView bytes, std::string_view what) {
  Lines lines{fmt::format("{}, {}", what, BytesText(bytes.size()))};
  Append(lines, HexDump(bytes, std::nullopt, 64), kIndent);
  return lines;
}

Lines HexDump(ByteView bytes, std::optional<std::size_t> fault, std::size_t most) {
  constexpr std::size_t kRow = 16;
  Lines lines;
  std::size_t first = 0;
  if (fault && *fault >= most && bytes.size() > most) {
    first = std::min(*fault - most / 2, bytes.size() - most) / kRow * kRow;
  }
  const std::size_t end = std::min(bytes.size(), first + most);
  if (first > 0) lines.push_back(fmt::format("... {} before", BytesText(first)));
  for (std::size_t row = first; row < end; row += kRow) {
    const ByteView part = bytes.subspan(row, std::min(kRow, end - row));
    std::string hex, text;
    for (std::size_t i = 0; i < part.size(); ++i) {
      hex += fmt::format("{:02x}{}", part[i], i == 7 ? "  " : " ");
      text += part[i] >= 0x20 && part[i] < 0x7f ? static_cast<char>(part[i]) : '.';
    }
    lines.push_back(fmt::format("{:04x}  {:<50}{}", row, hex, text));
    if (fault && *fault >= row && *fault < row + kRow) {
      lines.back() += fmt::format("  <- fault at byte {}", *fault);
    }
  }
  if (end < bytes.size())
    lines.push_back(fmt::format("... {} more", BytesText(bytes.size() - end)));
  return lines;
}

Lines DescribeDatagram(ByteView bytes) {
  if (bytes.empty()) return {"empty"};
  // RFC 7983 has only 0 to 3 for STUN; RFC 8489 section 5 every byte with two zero bits, which the magic cookie decides.
  const bool has_cookie = bytes.size() >= stun::kHeaderSize && bytes[0] < 64 &&
                          LoadU32(bytes.data() + 4) == stun::kMagicCookie;
  if (bytes[0] <= 3 || has_cookie) return DescribeStun(bytes);
  if (turn::LooksLikeChannelData(bytes)) return DescribeChannelData(bytes);
  const stun::PacketKind kind = stun::Classify(bytes);
  if (kind == stun::PacketKind::kUnknown) {
    return DescribeData(
        bytes, fmt::format("neither STUN nor ChannelData (first byte 0x{:02x})", bytes[0]));
  }
  return DescribeData(bytes, fmt::format("{} by its first byte", stun::ToString(kind)));
}

Lines DescribeStream(ByteView bytes) {
  StreamPieces pieces = DescribePieces(bytes);
  if (pieces.rest.empty()) return std::move(pieces.lines);
  if (pieces.bound) {
    Append(pieces.lines, DescribeData(pieces.rest, "data of the connection"));
    return std::move(pieces.lines);
  }
  pieces.lines.push_back(DescribeIncomplete(pieces.rest));
  Append(pieces.lines, HexDump(pieces.rest), kIndent);
  return std::move(pieces.lines);
}

}  // namespace rtclab::conformance
