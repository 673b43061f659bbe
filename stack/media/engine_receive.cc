// RTP in: feedback records, demultiplexing, and on to the stream.
#include <algorithm>

#include "stack/media/engine_impl.h"
#include "stack/rtp/header_extensions.h"

namespace rtclab::media {
namespace {

// An SSRC costs a jitter buffer; who makes up more gets no more of them.
constexpr std::size_t kMostInputs = 64;

bool SameName(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}
// What a jitter buffer is there for; comfort noise and telephone events have none.
bool Playable(const CodecConfig& codec) {
  return SameName(codec.name, "vp8") || SameName(codec.name, "opus");
}

}  // namespace

RtpInput* Engine::Impl::FindInput(uint32_t ssrc) {
  for (const auto& input : inputs_) {
    if (input->ssrc() == ssrc) return input.get();
  }
  return nullptr;
}

const CodecConfig* Engine::Impl::CodecFor(const ReceiveStreamConfig& section,
                                          uint8_t payload_type) const {
  for (const auto& codec : section.codecs) {
    if (codec.payload_type != payload_type && codec.rtx_payload_type != payload_type) continue;
    return Playable(codec) ? &codec : nullptr;
  }
  const bool is_fec =
      section.fec.kind != FecKind::kNone &&
      (payload_type == section.fec.red_payload_type || payload_type == section.fec.payload_type ||
       payload_type == section.fec.red_rtx_payload_type);
  return is_fec && !section.codecs.empty() ? &section.codecs.front() : nullptr;
}

RtpInput* Engine::Impl::InputFor(const Route& route, uint8_t payload_type) {
  if (route.media_ssrc == 0) return nullptr;
  RtpInput* input = FindInput(route.media_ssrc);
  const ReceiveStreamConfig& section = sections_[route.section];
  if (input != nullptr && input->mid() != section.mid) {
    // The SSRC moved to another m-section.
    std::erase_if(inputs_, [&](const auto& i) { return i->ssrc() == route.media_ssrc; });
    input = nullptr;
  }
  if (input == nullptr) {
    const CodecConfig* codec = CodecFor(section, payload_type);
    if (codec == nullptr) return nullptr;
    if (inputs_.size() >= kMostInputs) {
      // Whoever has been silent for longest makes room.
      const auto idle = std::min_element(inputs_.begin(), inputs_.end(), [](auto& x, auto& y) {
        return x->last_packet() < y->last_packet();
      });
      inputs_.erase(idle);
    }
    inputs_.push_back(MakeRtpInput(config_, section, *codec, route.media_ssrc, route.rid, outbox));
    input = inputs_.back().get();
    if (rtt_ > TimeDelta::Zero()) input->SetRtt(rtt_);
  }
  if (route.role == StreamRole::kRtx) input->SetRtxSsrc(route.ssrc);
  if (route.role == StreamRole::kFlexfec) input->SetFecSsrc(route.ssrc);
  return input;
}

void Engine::Impl::SayMapped(const Route& route) {
  RemoteSsrcMapped event;
  event.ssrc = route.ssrc;
  event.mid = sections_[route.section].mid;
  event.rid = route.rid;
  event.by = route.by;
  if (route.role != StreamRole::kMedia) event.repairs = route.media_ssrc;
  outbox.events.Push(std::move(event));
}

void Engine::Impl::RecordArrival(Timestamp now, const rtp::PacketView& packet) {
  if (transport_cc_id_ != 0) {
    if (const auto value = packet.FindExtension(transport_cc_id_)) {
      if (const auto sequence = rtp::ReadTransportSequence(*value)) {
        transport_recorder_.OnPacket(now, *sequence, packet.ssrc());
      }
    }
  }
  if (abs_send_time_id_ != 0) {
    if (const auto value = packet.FindExtension(abs_send_time_id_)) {
      if (const auto time = rtp::ReadAbsSendTime(*value)) {
        const Timestamp sent = arrival_clock_.OnPacket(now, *time);
        if (remb_) {
          remb_->OnPacket(
              now, sent,
              DataSize::Bytes(static_cast<int64_t>(packet.bytes().size()) + outbox.overhead));
        }
      }
    }
  }
}

void Engine::Impl::HandleRtp(Timestamp now, ByteView bytes, uint8_t ecn) {
  const auto packet = rtp::PacketView::Parse(bytes);
  if (!packet) {
    ++packets_malformed_;
    return;
  }
  wire_bytes_received_ += static_cast<int64_t>(bytes.size()) + outbox.overhead;
  RecordArrival(now, *packet);
  const Demux::Result found = demux_.Find(*packet);
  if (found.route == nullptr) {
    ++packets_unknown_;
    return;
  }
  const Route route = *found.route;
  if (found.is_new) SayMapped(route);
  RtpInput* input = InputFor(route, packet->payload_type());
  if (input == nullptr) {
    ++packets_unknown_;
    return;
  }
  if (input->codec().ccfb) {
    ccfb_recorder_.OnPacket(now, packet->ssrc(), packet->sequence_number(), ecn);
  }
  switch (route.role) {
    case StreamRole::kMedia:
      input->OnPacket(now, *packet, ecn);
      break;
    case StreamRole::kRtx:
      input->OnRtx(now, *packet);
      break;
    case StreamRole::kFlexfec:
      input->OnFlexfec(now, *packet);
      break;
  }
  CollectFeedback(now, *input);
  Flush(now);
}

void Engine::Impl::CollectFeedback(Timestamp, RtpInput& input) {
  if (auto lost = input.TakeNack()) {
    pending_.push_back(rtp::Nack{LocalSsrc(), input.ssrc(), std::move(*lost)});
  }
  if (const auto reason = input.TakeKeyframeRequest()) AskForKeyframe(input, *reason);
}

void Engine::Impl::AskForKeyframe(RtpInput& input, KeyframeReason reason) {
  const bool fir = !input.codec().pli;
  if (fir && !input.codec().fir) return;
  if (fir) {
    // RFC 5104 section 4.3.1.1: a new command has a new number.
    auto it = std::find_if(fir_sent_.begin(), fir_sent_.end(),
                           [&](const auto& entry) { return entry.first == input.ssrc(); });
    if (it == fir_sent_.end()) it = fir_sent_.insert(it, {input.ssrc(), uint8_t{0}});
    pending_.push_back(rtp::FullIntraRequest{LocalSsrc(), {{input.ssrc(), it->second++}}});
  } else {
    pending_.push_back(rtp::PictureLoss{LocalSsrc(), input.ssrc()});
  }
  input.OnKeyframeRequested(fir);
  outbox.events.Push(KeyframeRequested{input.mid(), input.ssrc(), fir, reason});
}

}  // namespace rtclab::media
