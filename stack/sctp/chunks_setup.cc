#include "stack/sctp/chunks_setup.h"

#include <algorithm>

namespace rtclab::sctp {
namespace {

// False: a known parameter of a wrong size.
bool ReadSetupParameter(const Tlv& tlv, InitChunk& init, bool& stop) {
  const std::size_t size = tlv.value.size();
  switch (static_cast<ParameterType>(tlv.type)) {
    case ParameterType::kStateCookie:
      init.cookie.assign(tlv.value.begin(), tlv.value.end());
      return true;
    case ParameterType::kUnrecognizedParameter:
      init.reported.emplace_back(tlv.value.begin(), tlv.value.end());
      return true;
    case ParameterType::kCookiePreservative:
      if (size != 4) return false;
      init.cookie_preservative_ms = LoadU32(tlv.value.data());
      return true;
    case ParameterType::kHostName:
      init.host_name = true;
      return true;
    case ParameterType::kForwardTsnSupported:
      init.forward_tsn = true;
      return size == 0;
    case ParameterType::kSupportedExtensions:
      init.extensions.assign(tlv.value.begin(), tlv.value.end());
      return true;
    case ParameterType::kZeroChecksumAcceptable:
      if (size != 4) return false;
      init.zero_checksum = LoadU32(tlv.value.data());
      return true;
    case ParameterType::kIpv4Address:  // one path below us: addresses say nothing
      return size == 4;
    case ParameterType::kIpv6Address:
      return size == 16;
    case ParameterType::kSupportedAddressTypes:
    case ParameterType::kEcnCapable:
    case ParameterType::kPadding:
      return true;
    default:
      if (UnknownParameterReported(tlv.type)) {
        init.unrecognized.emplace_back(tlv.whole.begin(), tlv.whole.end());
      }
      stop = !UnknownParameterContinues(tlv.type);
      return true;
  }
}

}  // namespace

bool InitChunk::Supports(ChunkType type) const {
  return std::find(extensions.begin(), extensions.end(), static_cast<uint8_t>(type)) !=
         extensions.end();
}

Result<InitChunk> InitChunk::Parse(const ChunkView& chunk) {
  ByteReader reader(chunk.value);
  InitChunk init;
  const auto fixed = reader.ReadBytes(16);
  if (!fixed) return Fail("INIT cut off", chunk.offset);
  const uint8_t* p = fixed->data();
  init.initiate_tag = LoadU32(p);
  init.a_rwnd = LoadU32(p + 4);
  init.outbound_streams = LoadU16(p + 8);
  init.inbound_streams = LoadU16(p + 10);
  init.initial_tsn = LoadU32(p + 12);

  TlvReader parameters(chunk.value.subspan(16));
  bool stop = false;
  while (!stop) {
    const auto tlv = parameters.Next();
    if (!tlv) break;
    if (!ReadSetupParameter(*tlv, init, stop)) {
      return Fail("INIT parameter of a wrong size", chunk.offset + 20 + tlv->offset);
    }
  }
  if (parameters.malformed()) {
    return Fail("INIT parameter longer than the chunk", chunk.offset + 20 + parameters.offset());
  }
  return init;
}

void InitChunk::AppendTo(Bytes& packet, ChunkType type, std::size_t limit) const {
  const std::size_t start = packet.size();
  ChunkWriter out(packet, type);
  out.U32(initiate_tag);
  out.U32(a_rwnd);
  out.U16(outbound_streams);
  out.U16(inbound_streams);
  out.U32(initial_tsn);
  const auto append = [&out](ParameterType parameter, ByteView value) {
    out.AppendTlv(static_cast<uint16_t>(parameter), value);
  };
  uint8_t word[4];
  if (!cookie.empty()) append(ParameterType::kStateCookie, cookie);
  if (forward_tsn) append(ParameterType::kForwardTsnSupported, {});
  if (!extensions.empty()) append(ParameterType::kSupportedExtensions, extensions);
  if (zero_checksum) {
    StoreU32(word, *zero_checksum);
    append(ParameterType::kZeroChecksumAcceptable, word);
  }
  if (cookie_preservative_ms) {
    StoreU32(word, *cookie_preservative_ms);
    append(ParameterType::kCookiePreservative, word);
  }
  for (const Bytes& parameter : unrecognized) {
    if (packet.size() - start + Padded(parameter.size()) + 8 > limit) break;
    append(ParameterType::kUnrecognizedParameter, parameter);
  }
  out.Finish();
}

}  // namespace rtclab::sctp
