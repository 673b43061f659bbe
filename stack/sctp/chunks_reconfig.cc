#include "stack/sctp/chunks_reconfig.h"

#include "stack/base/overloaded.h"

namespace rtclab::sctp {
namespace {

// Stream numbers to the end of the parameter; false for half a number.
bool ReadStreams(ByteView bytes, std::vector<uint16_t>& streams) {
  if (bytes.size() % 2 != 0) return false;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    streams.push_back(LoadU16(bytes.data() + at));
  }
  return true;
}

std::optional<ReconfigParameter> ReadReconfigResponse(ByteView value) {
  if (value.size() != 8 && value.size() != 16) return std::nullopt;
  const uint8_t* p = value.data();
  ReconfigResponse response{LoadU32(p), static_cast<ReconfigResult>(LoadU32(p + 4)), std::nullopt};
  if (value.size() == 16) response.tsns = {LoadU32(p + 8), LoadU32(p + 12)};
  return response;
}

std::optional<ReconfigParameter> ReadReconfigParameter(const Tlv& tlv) {
  const ByteView value = tlv.value;
  const auto type = static_cast<ParameterType>(tlv.type);
  if (value.size() < 4) return std::nullopt;
  const uint32_t first = LoadU32(value.data());
  switch (type) {
    case ParameterType::kOutgoingSsnReset: {
      if (value.size() < 12) return std::nullopt;
      OutgoingResetRequest reset{first, LoadU32(value.data() + 4), LoadU32(value.data() + 8), {}};
      if (!ReadStreams(value.subspan(12), reset.streams)) return std::nullopt;
      return reset;
    }
    case ParameterType::kIncomingSsnReset: {
      IncomingResetRequest reset{first, {}};
      if (!ReadStreams(value.subspan(4), reset.streams)) return std::nullopt;
      return reset;
    }
    case ParameterType::kSsnTsnReset:
      if (value.size() != 4) return std::nullopt;
      return TsnResetRequest{first};
    case ParameterType::kReconfigResponse:
      return ReadReconfigResponse(value);
    case ParameterType::kAddOutgoingStreams:
    case ParameterType::kAddIncomingStreams:
      if (value.size() != 8) return std::nullopt;
      return AddStreamsRequest{first, LoadU16(value.data() + 4),
                               type == ParameterType::kAddOutgoingStreams};
    default:
      return std::nullopt;
  }
}

void BeginReconfigParameter(ChunkWriter& out, ParameterType type) {
  out.BeginTlv(static_cast<uint16_t>(type));
}

void WriteReconfigParameter(ChunkWriter& out, const ReconfigParameter& parameter) {
  std::visit(Overloaded{
                 [&](const OutgoingResetRequest& p) {
                   BeginReconfigParameter(out, ParameterType::kOutgoingSsnReset);
                   out.U32(p.request);
                   out.U32(p.response);
                   out.U32(p.last_tsn);
                   for (const uint16_t stream : p.streams) out.U16(stream);
                 },
                 [&](const IncomingResetRequest& p) {
                   BeginReconfigParameter(out, ParameterType::kIncomingSsnReset);
                   out.U32(p.request);
                   for (const uint16_t stream : p.streams) out.U16(stream);
                 },
                 [&](const TsnResetRequest& p) {
                   BeginReconfigParameter(out, ParameterType::kSsnTsnReset);
                   out.U32(p.request);
                 },
                 [&](const AddStreamsRequest& p) {
                   BeginReconfigParameter(out, p.outgoing ? ParameterType::kAddOutgoingStreams
                                                          : ParameterType::kAddIncomingStreams);
                   out.U32(p.request);
                   out.U16(p.count);
                   out.U16(0);
                 },
                 [&](const ReconfigResponse& p) {
                   BeginReconfigParameter(out, ParameterType::kReconfigResponse);
                   out.U32(p.response);
                   out.U32(static_cast<uint32_t>(p.result));
                   if (p.tsns) {
                     out.U32(p.tsns->sender_next);
                     out.U32(p.tsns->receiver_next);
                   }
                 },
             },
             parameter);
  out.EndTlv();
}

}  // namespace

Result<ReconfigChunk> ReconfigChunk::Parse(const ChunkView& chunk) {
  TlvReader reader(chunk.value);
  ReconfigChunk reconfig;
  while (const auto tlv = reader.Next()) {
    auto parameter = ReadReconfigParameter(*tlv);
    if (!parameter) {
      return Fail("RE-CONFIG parameter unknown or of a wrong length",
                  chunk.offset + 4 + tlv->offset);
    }
    reconfig.parameters.push_back(std::move(*parameter));
  }
  if (reader.malformed() || reconfig.parameters.empty() || reconfig.parameters.size() > 2) {
    return Fail("RE-CONFIG without one or two parameters", chunk.offset + 4 + reader.offset());
  }
  return reconfig;
}

void ReconfigChunk::AppendTo(Bytes& packet) const {
  ChunkWriter out(packet, ChunkType::kReconfig);
  for (const ReconfigParameter& parameter : parameters) WriteReconfigParameter(out, parameter);
  out.Finish();
}

}  // namespace rtclab::sctp
