#include "stack/sctp/chunks_control.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::sctp {
namespace {

Bytes WordBytes(uint32_t value) {
  Bytes bytes(4);
  StoreU32(bytes.data(), value);
  return bytes;
}

// What a peer says may be long and may not be text.
std::string PrintableText(ByteView bytes) {
  std::string text(AsString(bytes.first(std::min<std::size_t>(bytes.size(), 128))));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  return text;
}

// A cause that quotes what the peer sent must fit into a packet.
Bytes Quoted(ByteView bytes) {
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), 160));
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace

Result<HeartbeatChunk> HeartbeatChunk::Parse(const ChunkView& chunk) {
  TlvReader parameters(chunk.value);
  const auto info = parameters.Next();
  if (!info || info->type != static_cast<uint16_t>(ParameterType::kHeartbeatInfo)) {
    return Fail("HEARTBEAT without Heartbeat Info", chunk.offset + 4);
  }
  return HeartbeatChunk{info->value};
}

void HeartbeatChunk::AppendTo(Bytes& packet, ChunkType type) const {
  ChunkWriter out(packet, type);
  out.AppendTlv(static_cast<uint16_t>(ParameterType::kHeartbeatInfo), info);
  out.Finish();
}

Result<ShutdownChunk> ShutdownChunk::Parse(const ChunkView& chunk) {
  if (chunk.value.size() != 4) return Fail("SHUTDOWN of a wrong length", chunk.offset);
  return ShutdownChunk{LoadU32(chunk.value.data())};
}

void ShutdownChunk::AppendTo(Bytes& packet) const {
  ChunkWriter out(packet, ChunkType::kShutdown);
  out.U32(cumulative_tsn);
  out.Finish();
}

std::string ErrorCause::ToString() const {
  switch (code) {
    case CauseCode::kInvalidStreamId:
      return value.size() >= 2 ? fmt::format("invalid stream identifier {}", LoadU16(value.data()))
                               : "invalid stream identifier";
    case CauseCode::kMissingMandatoryParameter:
      return "missing mandatory parameter";
    case CauseCode::kStaleCookie:
      return "stale cookie";
    case CauseCode::kOutOfResource:
      return "out of resource";
    case CauseCode::kUnresolvableAddress:
      return "unresolvable address";
    case CauseCode::kUnrecognizedChunkType:
      return value.empty() ? "unrecognized chunk type"
                           : fmt::format("unrecognized chunk type {}", value[0]);
    case CauseCode::kInvalidMandatoryParameter:
      return "invalid mandatory parameter";
    case CauseCode::kUnrecognizedParameters:
      return "unrecognized parameters";
    case CauseCode::kNoUserData:
      return "no user data";
    case CauseCode::kCookieReceivedWhileShuttingDown:
      return "cookie received while shutting down";
    case CauseCode::kRestartWithNewAddresses:
      return "restart with new addresses";
    case CauseCode::kUserInitiatedAbort:
      return "user initiated abort: " + PrintableText(value);
    case CauseCode::kProtocolViolation:
      return "protocol violation: " + PrintableText(value);
  }
  return fmt::format("error cause {}", static_cast<uint16_t>(code));
}

ErrorCause ErrorCause::InvalidStream(uint16_t stream) {
  return {CauseCode::kInvalidStreamId, WordBytes(uint32_t{stream} << 16)};
}
ErrorCause ErrorCause::MissingParameter(ParameterType type) {
  Bytes value = WordBytes(1);
  value.push_back(static_cast<uint8_t>(static_cast<uint16_t>(type) >> 8));
  value.push_back(static_cast<uint8_t>(type));
  return {CauseCode::kMissingMandatoryParameter, std::move(value)};
}
ErrorCause ErrorCause::StaleCookie(TimeDelta staleness) {
  // Measure of Staleness, in microseconds.
  const int64_t us = std::clamp<int64_t>(staleness.micros(), 0, UINT32_MAX);
  return {CauseCode::kStaleCookie, WordBytes(static_cast<uint32_t>(us))};
}
ErrorCause ErrorCause::OutOfResource() { return {CauseCode::kOutOfResource, {}}; }
ErrorCause ErrorCause::UnresolvableAddress(ByteView parameter) {
  return {CauseCode::kUnresolvableAddress, Quoted(parameter)};
}
ErrorCause ErrorCause::UnrecognizedChunk(ByteView chunk) {
  return {CauseCode::kUnrecognizedChunkType, Quoted(chunk)};
}
ErrorCause ErrorCause::InvalidMandatoryParameter() {
  return {CauseCode::kInvalidMandatoryParameter, {}};
}
ErrorCause ErrorCause::UnrecognizedParameters(ByteView parameters) {
  return {CauseCode::kUnrecognizedParameters, Quoted(parameters)};
}
ErrorCause ErrorCause::NoUserData(uint32_t tsn) { return {CauseCode::kNoUserData, WordBytes(tsn)}; }
ErrorCause ErrorCause::CookieWhileShuttingDown() {
  return {CauseCode::kCookieReceivedWhileShuttingDown, {}};
}
ErrorCause ErrorCause::UserAbort(std::string_view reason) {
  return {CauseCode::kUserInitiatedAbort, Quoted(AsBytes(reason))};
}
ErrorCause ErrorCause::Violation(std::string_view reason) {
  return {CauseCode::kProtocolViolation, Quoted(AsBytes(reason))};
}

Result<ErrorChunk> ErrorChunk::Parse(const ChunkView& chunk) {
  TlvReader reader(chunk.value);
  ErrorChunk error;
  while (const auto tlv = reader.Next()) {
    error.causes.push_back(
        {static_cast<CauseCode>(tlv->type), Bytes(tlv->value.begin(), tlv->value.end())});
  }
  if (reader.malformed()) {
    return Fail("error cause of a wrong length", chunk.offset + 4 + reader.offset());
  }
  return error;
}

void ErrorChunk::AppendTo(Bytes& packet, ChunkType type, uint8_t flags) const {
  ChunkWriter out(packet, type, flags);
  for (const ErrorCause& cause : causes) {
    out.AppendTlv(static_cast<uint16_t>(cause.code), cause.value);
  }
  out.Finish();
}

std::string ErrorChunk::ToString() const {
  std::string text;
  for (const ErrorCause& cause : causes) {
    if (!text.empty()) text += "; ";
    text += cause.ToString();
    if (text.size() > 512) break;
  }
  return text.empty() ? "no cause given" : text;
}

void AppendCookieEcho(Bytes& packet, ByteView cookie) {
  ChunkWriter out(packet, ChunkType::kCookieEcho);
  out.Raw(cookie);
  out.Finish();
}

void AppendEmptyChunk(Bytes& packet, ChunkType type, uint8_t flags) {
  ChunkWriter(packet, type, flags).Finish();
}

void AppendPad(Bytes& packet, std::size_t size) {
  CHECK(size >= 4 && size % 4 == 0);
  ChunkWriter out(packet, ChunkType::kPad);
  packet.resize(packet.size() + size - 4);
  out.Finish();
}

}  // namespace rtclab::sctp
