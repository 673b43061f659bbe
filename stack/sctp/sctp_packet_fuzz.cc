// Every parser over the chunks of any packet; what is understood is written again and must read the same.
#include <cstddef>
#include <cstdint>

#include "stack/base/check.h"
#include "stack/sctp/chunks_control.h"
#include "stack/sctp/chunks_data.h"
#include "stack/sctp/chunks_reconfig.h"
#include "stack/sctp/chunks_setup.h"
#include "stack/sctp/packet.h"

namespace rtclab::sctp {
namespace {

ChunkView Reread(const Bytes& bytes) {
  const std::size_t length = LoadU16(bytes.data() + 2);
  const ByteView whole = ByteView(bytes).first(length);
  return {bytes[0], bytes[1], whole.subspan(4), whole, 0};
}

void ReadChunk(const ChunkView& chunk) {
  Bytes out;
  if (const auto data = DataChunk::Parse(chunk); data && chunk.whole.size() >= 20) {
    const bool interleaved = chunk.type == static_cast<uint8_t>(ChunkType::kIData);
    data->AppendTo(out, interleaved);
    const auto again = DataChunk::Parse(Reread(out));
    CHECK(again && again->tsn == data->tsn && again->sequence == data->sequence &&
          again->payload.size() == data->payload.size());
    out.clear();
  }
  if (const auto sack = SackChunk::Parse(chunk)) {
    sack->AppendTo(out);
    const auto again = SackChunk::Parse(Reread(out));
    CHECK(again && again->gaps == sack->gaps && again->duplicates == sack->duplicates);
    out.clear();
  }
  if (const auto forward = ForwardTsnChunk::Parse(chunk)) {
    const bool interleaved = chunk.type == static_cast<uint8_t>(ChunkType::kIForwardTsn);
    forward->AppendTo(out, interleaved);
    const auto again = ForwardTsnChunk::Parse(Reread(out));
    CHECK(again && again->skipped == forward->skipped);
    out.clear();
  }
  if (const auto reconfig = ReconfigChunk::Parse(chunk)) {
    reconfig->AppendTo(out);
    const auto again = ReconfigChunk::Parse(Reread(out));
    CHECK(again && again->parameters == reconfig->parameters);
    out.clear();
  }
  if (const auto error = ErrorChunk::Parse(chunk)) {
    static_cast<void>(error->ToString());
    error->AppendTo(out, ChunkType::kError);
    const auto again = ErrorChunk::Parse(Reread(out));
    CHECK(again && again->causes == error->causes);
    out.clear();
  }
  if (const auto init = InitChunk::Parse(chunk)) {
    init->AppendTo(out, ChunkType::kInitAck, 60'000);
    const auto again = InitChunk::Parse(Reread(out));
    CHECK(again && again->cookie == init->cookie && again->extensions == init->extensions);
  }
  static_cast<void>(HeartbeatChunk::Parse(chunk));
  static_cast<void>(ShutdownChunk::Parse(chunk));
}

}  // namespace
}  // namespace rtclab::sctp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size > 20'000) return 0;
  const auto packet = rtclab::sctp::PacketView::Parse({data, size});
  if (!packet) return 0;
  static_cast<void>(packet->ChecksumCorrect());
  std::size_t offset = rtclab::sctp::PacketView::kFirstChunk;
  while (true) {
    const auto chunk = packet->NextChunk(offset);
    if (!chunk || !*chunk) return 0;
    rtclab::sctp::ReadChunk(**chunk);
  }
}
