// Packets in: checksum and tag rules (RFC 9260 sections 6.8, 8.4, 8.5; RFC 9653), the walk over the chunks,
// and the chunks that take a few lines.
#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {
namespace {

ChunkType TypeOf(const ChunkView& chunk) { return static_cast<ChunkType>(chunk.type); }

bool IsStaleCookieError(const ChunkView& chunk) {
  if (TypeOf(chunk) != ChunkType::kError) return false;
  const auto error = ErrorChunk::Parse(chunk);
  if (!error) return false;
  for (const ErrorCause& cause : error->causes) {
    if (cause.code == CauseCode::kStaleCookie) return true;
  }
  return false;
}

bool ContainsAbort(const PacketView& packet) {
  std::size_t offset = PacketView::kFirstChunk;
  while (true) {
    const auto chunk = packet.NextChunk(offset);
    if (!chunk || !*chunk) return false;
    if (TypeOf(**chunk) == ChunkType::kAbort) return true;
  }
}

// Section 6.10: these are never bundled.
bool StandsAlone(ChunkType type) {
  return type == ChunkType::kInit || type == ChunkType::kInitAck ||
         type == ChunkType::kShutdownComplete;
}

}  // namespace

void Association::Impl::HandlePacket(Timestamp now, ByteView bytes) {
  Enter(now);
  ++metrics_.packets_received;
  metrics_.bytes_received += bytes.size();
  const auto packet = PacketView::Parse(bytes);
  if (!packet) return CountDrop(DropReason::kTruncated);
  std::size_t offset = PacketView::kFirstChunk;
  const auto first = packet->NextChunk(offset);
  if (!first) return CountDrop(DropReason::kTruncated);
  if (!ChecksumAccepted(*packet, **first)) return CountDrop(DropReason::kBadChecksum);
  if (packet->header().source_port != config_.remote_port ||
      packet->header().destination_port != config_.local_port) {
    return CountDrop(DropReason::kWrongPort);
  }
  if (StandsAlone(TypeOf(**first)) && offset < bytes.size()) {
    return CountDrop(DropReason::kUnexpectedChunk);
  }
  if (state_ == State::kClosed) {
    if (!HandleOutOfTheBlue(*packet, **first)) return;
  } else if (!TagAccepted(*packet, **first)) {
    return;
  }
  HandleChunks(*packet);
}

bool Association::Impl::ChecksumAccepted(const PacketView& packet, const ChunkView& first) const {
  // RFC 9653 section 5.3: a zero is as good as a checksum once we said so. The packets that begin an
  // association have one (section 5.2), and so has what is out of the blue.
  if (config_.zero_checksum && packet.ChecksumZero() && state_ != State::kClosed &&
      TypeOf(first) != ChunkType::kInit && TypeOf(first) != ChunkType::kCookieEcho) {
    return true;
  }
  return packet.ChecksumCorrect();
}

// RFC 9260 section 8.5. False: dropped, or answered as out of the blue.
bool Association::Impl::TagAccepted(const PacketView& packet, const ChunkView& first) {
  const uint32_t tag = packet.header().verification_tag;
  const bool reflected = (first.flags & kTagReflected) != 0;
  bool accepted = tag == my_tag_;
  switch (TypeOf(first)) {
    case ChunkType::kInit:
      accepted = tag == 0;
      break;
    case ChunkType::kAbort:
    case ChunkType::kShutdownComplete:
      accepted = reflected ? peer_tag_ != 0 && tag == peer_tag_ : tag == my_tag_;
      break;
    case ChunkType::kCookieEcho:
      return true;  // the cookie says which tag it was made for
    case ChunkType::kShutdownAck:
      // Rule E: of an association that we no longer know.
      if (!HasAssociation()) {
        HandleShutdownAck(packet);
        return false;
      }
      break;
    default:
      break;
  }
  if (!accepted) CountDrop(DropReason::kBadTag);
  return accepted;
}

// Section 8.4. True: the packet begins an association.
bool Association::Impl::HandleOutOfTheBlue(const PacketView& packet, const ChunkView& first) {
  const Reply reply{packet.header().verification_tag, true};
  if (TypeOf(first) == ChunkType::kInit) {
    if (reply.tag == 0) return true;
    CountDrop(DropReason::kBadTag);
    return false;
  }
  if (TypeOf(first) == ChunkType::kCookieEcho && !ended_) return true;
  CountDrop(DropReason::kOutOfTheBlue);
  if (ContainsAbort(packet) || TypeOf(first) == ChunkType::kShutdownComplete ||
      TypeOf(first) == ChunkType::kCookieAck || IsStaleCookieError(first)) {
    return false;
  }
  if (TypeOf(first) == ChunkType::kShutdownAck) {
    SendControl(reply, true, [](Bytes& out) {
      AppendEmptyChunk(out, ChunkType::kShutdownComplete, kTagReflected);
    });
    return false;
  }
  SendControl(reply, true,
              [](Bytes& out) { ErrorChunk{}.AppendTo(out, ChunkType::kAbort, kTagReflected); });
  return false;
}

void Association::Impl::HandleChunks(const PacketView& packet) {
  packet_has_data_ = false;
  sack_at_once_ = false;
  std::size_t offset = PacketView::kFirstChunk;
  while (!ended_ || state_ != State::kClosed) {
    const auto chunk = packet.NextChunk(offset);
    if (!chunk) {
      CountDrop(DropReason::kTruncated);
      break;
    }
    if (!*chunk || !HandleChunk(packet, **chunk)) break;
  }
  FinishPacket();
}

// False: the rest of the packet is not looked at.
bool Association::Impl::HandleChunk(const PacketView& packet, const ChunkView& chunk) {
  const bool first = chunk.offset == PacketView::kFirstChunk;
  switch (TypeOf(chunk)) {
    case ChunkType::kData:
    case ChunkType::kIData:
      if (TypeOf(chunk) == ChunkType::kIData && !features_.interleaving && HasAssociation()) {
        return HandleUnknownChunk(chunk);
      }
      HandleData(chunk);
      return true;
    case ChunkType::kSack:
      HandleSack(chunk);
      return true;
    case ChunkType::kInit:
      first ? HandleInit(chunk) : CountDrop(DropReason::kUnexpectedChunk);
      return false;
    case ChunkType::kInitAck:
      first ? HandleInitAck(chunk) : CountDrop(DropReason::kUnexpectedChunk);
      return false;
    case ChunkType::kCookieEcho:
      if (!first) return CountDrop(DropReason::kUnexpectedChunk), false;
      HandleCookieEcho(packet, chunk);
      // What is bundled goes on only when the tag is that of the association now.
      return HasAssociation() && packet.header().verification_tag == my_tag_;
    case ChunkType::kCookieAck:
      HandleCookieAck();
      return true;
    case ChunkType::kHeartbeat:
      HandleHeartbeat(chunk);
      return true;
    case ChunkType::kHeartbeatAck:
      HandleHeartbeatAck(chunk);
      return true;
    case ChunkType::kAbort:
      HandleAbort(packet, chunk);
      return false;
    case ChunkType::kError:
      HandleError(chunk);
      return true;
    case ChunkType::kShutdown:
      HandleShutdown(chunk);
      return true;
    case ChunkType::kShutdownAck:
      HandleShutdownAck(packet);
      return true;
    case ChunkType::kShutdownComplete:
      HandleShutdownComplete(packet, chunk);
      return false;
    case ChunkType::kForwardTsn:
    case ChunkType::kIForwardTsn:
      if (!features_.partial_reliability) return HandleUnknownChunk(chunk);
      HandleForwardTsn(chunk);
      return true;
    case ChunkType::kReconfig:
      if (!features_.reconfig) return HandleUnknownChunk(chunk);
      HandleReconfig(chunk);
      return true;
    case ChunkType::kPad:  // RFC 4820 section 3
    case ChunkType::kEcne:
    case ChunkType::kCwr:
      return true;
  }
  return HandleUnknownChunk(chunk);
}

bool Association::Impl::HandleUnknownChunk(const ChunkView& chunk) {
  // Section 3.2, by the two highest bits of the type.
  CountDrop(DropReason::kUnknownChunk);
  if (UnknownChunkReported(chunk.type) && HasAssociation()) {
    SendError(ErrorCause::UnrecognizedChunk(chunk.whole));
  }
  return UnknownChunkContinues(chunk.type);
}

void Association::Impl::HandleHeartbeat(const ChunkView& chunk) {
  // Section 8.3: answered in every state that has a peer's tag but COOKIE-WAIT.
  if (state_ == State::kCookieWait || peer_tag_ == 0) return;
  const auto heartbeat = HeartbeatChunk::Parse(chunk);
  if (!heartbeat) return CountDrop(DropReason::kMalformedChunk);
  SendControl([&](Bytes& out) { heartbeat->AppendTo(out, ChunkType::kHeartbeatAck); });
}

void Association::Impl::HandleHeartbeatAck(const ChunkView& chunk) {
  const auto heartbeat = HeartbeatChunk::Parse(chunk);
  ByteReader info(heartbeat ? heartbeat->info : ByteView());
  const auto sent = info.ReadU64();
  const auto nonce = info.ReadU32();
  const auto size = info.ReadU32();
  if (!HasAssociation() || !sent || !nonce || !size || *nonce != heartbeat_nonce_) {
    return CountDrop(DropReason::kMalformedChunk);
  }
  error_count_ = 0;
  if (*size == 0) {
    heartbeat_under_way_ = false;
    rto_.Measure(now_ - Timestamp::Nanos(static_cast<int64_t>(*sent)));
    return;
  }
  if (path_mtu_.probing()) {
    if (path_mtu_.OnAcknowledged(*size)) MtuChanged();
    ProbeMtu();
  }
}

void Association::Impl::HandleAbort(const PacketView& packet, const ChunkView& chunk) {
  const uint32_t tag = packet.header().verification_tag;
  const bool reflected = (chunk.flags & kTagReflected) != 0;
  if (tag != (reflected ? peer_tag_ : my_tag_) || tag == 0) {
    return CountDrop(DropReason::kBadTag);
  }
  const auto error = ErrorChunk::Parse(chunk);
  Fail("peer_abort: " + (error ? error->ToString() : std::string("malformed cause")), true);
}

void Association::Impl::HandleError(const ChunkView& chunk) {
  const auto error = ErrorChunk::Parse(chunk);
  if (!error) return CountDrop(DropReason::kMalformedChunk);
  for (const ErrorCause& cause : error->causes) {
    if (cause.code == CauseCode::kStaleCookie) return HandleStaleCookie();
  }
  if (HasAssociation()) Emit(ProtocolError{error->ToString()});
}

void Association::Impl::HandleReconfig(const ChunkView& chunk) {
  const auto reconfig = ReconfigChunk::Parse(chunk);
  if (!reconfig) return CountDrop(DropReason::kMalformedChunk);
  if (state_ != State::kEstablished && state_ != State::kShutdownPending &&
      state_ != State::kShutdownReceived) {
    return CountDrop(DropReason::kUnexpectedChunk);
  }
  error_count_ = 0;  // the peer is there, also when it says "in progress"
  // What is complete is delivered before its stream begins anew.
  DeliverMessages();
  ReconfigHandler::Context context = ReconfigParts();
  reconfig_.Handle(*reconfig, context);
  EmitReconfigEvents();
  if (!reconfig_.request_in_flight()) {
    StopTimer(kReconfigTimer);
  } else {
    StartTimer(kReconfigTimer, rto_.rto());
  }
  sack_at_once_ = packet_has_data_ || packets_unacked_ > 0;  // section 5.2.1 of RFC 6525
}

void Association::Impl::FinishPacket() {
  if (!HasAssociation()) return;
  DeliverMessages();
  if (reconfig_.HasDeferred()) {
    ReconfigHandler::Context context = ReconfigParts();
    reconfig_.OnCumulativeAdvanced(context);
    EmitReconfigEvents();
  }
  DecideAboutSack();
  ProgressShutdown();
}

}  // namespace rtclab::sctp
