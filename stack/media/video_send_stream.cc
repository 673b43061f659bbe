#include "stack/media/video_send_stream.h"

#include <algorithm>

#include "stack/media/frame_content.h"
#include "stack/rtp/vp8.h"

namespace rtclab::media {
namespace {

// As deployed: requests for key frames within this are one, and so many bytes of RTP payload format
// at most come before the data of a packet.
constexpr TimeDelta kKeyframeSpacing = TimeDelta::Millis(300);
// The picture shrinks no oftener than this, and grows later still: each change costs a key frame,
// and the first estimates of a path come and go. A decision.
constexpr TimeDelta kShrinkSpacing = TimeDelta::Seconds(2);
constexpr TimeDelta kGrowSpacing = TimeDelta::Seconds(5);
// webrtc-stats, hugeFramesSent.
constexpr double kHugeFrame = 2.5;
constexpr std::size_t kLargestDescriptor = 6;
constexpr std::size_t kRtxRoom = 2;  // the OSN, so that a packet sent again is not too long

PictureSize ScaledSize(const VideoModelConfig& source, double scale) {
  const double divisor = std::max(scale, 1.0);
  return {std::max(16, static_cast<int>(source.width / divisor) & ~1),
          std::max(16, static_cast<int>(source.height / divisor) & ~1)};
}

}  // namespace

VideoSendStream::VideoSendStream(const EngineConfig& engine, const SendStreamConfig& config,
                                 Rng& rng)
    : SendStream(config, rng), max_packet_size_(static_cast<std::size_t>(engine.max_packet_size)) {
  if (const auto* given = std::get_if<VideoModelConfig>(&config.source)) source_ = *given;
  for (std::size_t i = 0; i < config_.encodings.size(); ++i) {
    layers_.push_back(std::make_unique<Layer>(i, ModelFor(i), rng));
    layers_.back()->picture_id = static_cast<uint16_t>(rng.NextU32() & 0x7fff);
    layers_.back()->tl0_index = static_cast<uint8_t>(rng.NextU32());
  }
  std::stable_sort(layers_.begin(), layers_.end(), [&](const auto& a, const auto& b) {
    return config_.encodings[a->index].scale_down_by > config_.encodings[b->index].scale_down_by;
  });
  for (auto& layer : layers_) ConfigureLayer(*layer);
  if (config_.fec.kind == FecKind::kNone) return;
  // A FlexFEC stream protects one media stream, the first encoding's.
  const std::size_t protected_layers =
      config_.fec.kind == FecKind::kFlexfec ? 1 : config_.encodings.size();
  for (std::size_t i = 0; i < protected_layers; ++i) {
    fec_.push_back(std::make_unique<FecSender>(config_.fec, config_.codec));
  }
}

void VideoSendStream::SetLoss(double loss) {
  for (auto& fec : fec_) fec->SetLoss(loss);
}

void VideoSendStream::SetRtt(TimeDelta rtt) {
  SendStream::SetRtt(rtt);
  for (auto& fec : fec_) fec->SetRtt(rtt);
}

VideoModelConfig VideoSendStream::ModelFor(std::size_t index) const {
  const Encoding& encoding = config_.encodings[index];
  VideoModelConfig model = source_;
  const PictureSize size = ScaledSize(source_, encoding.scale_down_by);
  model.width = size.width;
  model.height = size.height;
  if (config_.encodings.size() > 1) {
    const FormatRates rates = RatesForFormat(size.width, size.height);
    model.min_rate = rates.min;
    model.max_rate = rates.max;
  }
  if (encoding.min_bitrate) model.min_rate = *encoding.min_bitrate;
  if (encoding.max_bitrate) model.max_rate = *encoding.max_bitrate;
  if (model.min_rate > model.max_rate) model.min_rate = model.max_rate;
  return model;
}

void VideoSendStream::ConfigureLayer(Layer& layer) const {
  const Encoding& encoding = config_.encodings[layer.index];
  const VideoModelConfig model = ModelFor(layer.index);
  layer.full = ScaledSize(source_, encoding.scale_down_by);
  layer.demand.min = model.min_rate;
  layer.demand.max = model.max_rate;
  layer.demand.target = model.max_rate;
  if (layers_.size() > 1) {
    layer.demand.target =
        std::min(RatesForFormat(layer.full.width, layer.full.height).target, model.max_rate);
  }
  layer.demand.active = config_.active && encoding.active;
  layer.model.SetMaxFrameRate(encoding.max_framerate.value_or(0));
}

bool VideoSendStream::LayerActive(const Layer& layer) const { return layer.demand.active; }

void VideoSendStream::Update(Timestamp now, const SendStreamConfig& config) {
  config_.active = config.active;
  config_.encodings = config.encodings;
  for (auto& layer : layers_) {
    const bool was_active = LayerActive(*layer);
    ConfigureLayer(*layer);
    if (was_active && !LayerActive(*layer)) layer->model.SetTargetRate(now, DataRate());
  }
}

void VideoSendStream::Start(Timestamp now) {
  if (started_) return;
  started_ = true;
  for (auto& layer : layers_) layer->model.Start(now);
}

void VideoSendStream::Stop() {
  started_ = false;
  for (auto& layer : layers_) layer->model.Stop();
}

RateDemand VideoSendStream::demand() const {
  RateDemand demand;
  for (const auto& layer : layers_) {
    if (!LayerActive(*layer)) continue;
    if (demand.min.bps() == 0) demand.min = layer->demand.min;
    demand.max = DataRate::BitsPerSec(demand.max.bps() + layer->demand.max.bps());
  }
  return demand;
}

void VideoSendStream::SetRate(Timestamp now, DataRate payload_rate) {
  std::vector<LayerDemand> demands;
  demands.reserve(layers_.size());
  for (const auto& layer : layers_) demands.push_back(layer->demand);
  const std::vector<DataRate> rates = AllocateLayers(payload_rate, demands);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = *layers_[i];
    Adapt(now, layer, rates[i]);
    layer.model.SetTargetRate(now, rates[i]);
    NoteLimit(now, layer);
  }
}

// Without simulcast the picture follows the rate; with it the layers that are sent do.
void VideoSendStream::Adapt(Timestamp now, Layer& layer, DataRate rate) {
  if (!source_.adapt_resolution || layers_.size() > 1 || rate.bps() == 0) return;
  const PictureSize current{layer.model.width(), layer.model.height()};
  const PictureSize next = AdaptPicture(layer.full, current, rate);
  const bool first = !layer.resized;
  if (first) layer.resized = now;
  if (next == current) return;
  const TimeDelta spacing = next.width > current.width ? kGrowSpacing : kShrinkSpacing;
  if (!first && now < *layer.resized + spacing) return;
  if (layer.frames > 0) ++layer.resolution_changes;
  layer.resized = now;
  layer.model.SetResolution(next.width, next.height);
}

void VideoSendStream::NoteLimit(Timestamp now, Layer& layer) {
  const bool limited = LayerActive(layer) && (layer.model.target_rate().bps() == 0 ||
                                              layer.model.width() < layer.full.width);
  if (layer.limited_since) {
    const TimeDelta span = now - *layer.limited_since;
    (layer.limited ? layer.limited_time : layer.unlimited_time) += span;
  }
  layer.limited_since = now;
  layer.limited = limited;
}

void VideoSendStream::OnKeyframeRequest(Timestamp now, uint32_t ssrc) {
  for (auto& layer : layers_) {
    if (!outputs_[layer->index]->Owns(ssrc)) continue;
    if (layer->last_requested && now < *layer->last_requested + kKeyframeSpacing) return;
    layer->last_requested = now;
    layer->model.RequestKeyFrame();
  }
}

void VideoSendStream::HandleTimeout(Timestamp now, SendTransport& transport) {
  for (auto& layer : layers_) {
    while (layer->model.NextFrameTime() <= now) Encode(now, *layer, transport);
  }
}

Timestamp VideoSendStream::NextTimeout() const {
  Timestamp next = Timestamp::PlusInfinity();
  for (const auto& layer : layers_) next = std::min(next, layer->model.NextFrameTime());
  return next;
}

void VideoSendStream::Encode(Timestamp now, Layer& layer, SendTransport& transport) {
  const EncodedFrame frame = layer.model.Encode(now);
  ++layer.frames;
  if (frame.key_frame) ++layer.key_frames;
  if (static_cast<double>(frame.size) >= kHugeFrame * static_cast<double>(frame.target_size)) {
    ++layer.huge_frames;
  }
  layer.target_bytes += static_cast<uint64_t>(frame.target_size);
  layer.encode_time += source_.encode_time.seconds();
  layer.last_second.Add(now);
  Packetize(now, layer, frame, transport);
}

void VideoSendStream::Packetize(Timestamp now, Layer& layer, const EncodedFrame& frame,
                                SendTransport& transport) {
  RtpOutput& output = *outputs_[layer.index];
  frame_.resize(static_cast<std::size_t>(frame.size));
  WriteVideoFrame(frame_, frame.key_frame, frame.width, frame.height, layer.number++,
                  frame.captured);
  rtp::Vp8Descriptor descriptor;
  descriptor.non_reference = frame.non_reference;
  descriptor.picture_id = layer.picture_id;
  layer.picture_id = static_cast<uint16_t>((layer.picture_id + 1) & 0x7fff);
  if (source_.temporal_layers > 1) {
    if (frame.temporal_id == 0) ++layer.tl0_index;
    descriptor.tl0_pic_idx = layer.tl0_index;
    descriptor.temporal = rtp::Vp8Descriptor::TemporalLayer{static_cast<uint8_t>(frame.temporal_id),
                                                            frame.layer_sync};
  }
  const uint32_t timestamp = output.RtpTimestamp(frame.captured);
  FecSender* fec = layer.index < fec_.size() ? fec_[layer.index].get() : nullptr;
  const std::size_t room =
      max_packet_size_ - output.HeaderSize() - kRtxRoom - (fec != nullptr ? FecSender::kRoom : 0);
  rtp::Vp8Packetizer packetizer(frame_, descriptor, room);
  while (const std::size_t size = packetizer.NextSize()) {
    auto builder = output.Begin(false, config_.codec.payload_type, timestamp, size);
    const bool last = packetizer.Next(builder.AllocatePayload(size).data());
    Bytes packet = builder.Build();
    if (last) rtp::SetMarker(packet, true);
    output.OnMarker(last);
    if (fec != nullptr) packet = fec->AddMedia(std::move(packet));
    transport.Enqueue(now, output, congestion::PacketClass::kVideo, std::move(packet));
  }
  if (fec != nullptr) fec->EndFrame(now, timestamp, output, transport);
}

double VideoSendStream::wire_factor(int64_t overhead) const {
  const auto header = static_cast<double>(outputs_.front()->HeaderSize() + kLargestDescriptor) +
                      static_cast<double>(overhead);
  const auto payload = static_cast<double>(max_packet_size_ - outputs_.front()->HeaderSize() -
                                           kLargestDescriptor - kRtxRoom);
  double fec = 0;
  for (const auto& sender : fec_) fec = std::max(fec, sender->overhead());
  return (payload + header) / payload * (1 + fec);
}

DataRate VideoSendStream::encoder_target() const {
  DataRate sum;
  for (const auto& layer : layers_) {
    sum = DataRate::BitsPerSec(sum.bps() + layer->model.target_rate().bps());
  }
  return sum;
}

void VideoSendStream::FillStats(Timestamp now, EngineStats& stats) const {
  for (const auto& layer : layers_) {
    OutboundRtpStats outbound;
    outputs_[layer->index]->FillStats(outbound);
    outbound.encoding_index = static_cast<uint32_t>(layer->index);
    outbound.active = LayerActive(*layer);
    outbound.target_bitrate = static_cast<double>(layer->model.target_rate().bps());
    outbound.total_encoded_bytes_target = layer->target_bytes;
    outbound.frame_width = static_cast<uint32_t>(layer->model.width());
    outbound.frame_height = static_cast<uint32_t>(layer->model.height());
    outbound.frames_per_second = layer->last_second.Count(now);
    outbound.frames_sent = layer->frames;
    outbound.frames_encoded = layer->frames;
    outbound.key_frames_encoded = layer->key_frames;
    outbound.huge_frames_sent = layer->huge_frames;
    outbound.total_encode_time = layer->encode_time;
    outbound.quality_limitation_reason =
        layer->limited ? QualityLimitation::kBandwidth : QualityLimitation::kNone;
    TimeDelta limited = layer->limited_time;
    TimeDelta unlimited = layer->unlimited_time;
    if (layer->limited_since) {
      (layer->limited ? limited : unlimited) += now - *layer->limited_since;
    }
    outbound.quality_limitation_bandwidth_duration = limited.seconds();
    outbound.quality_limitation_none_duration = unlimited.seconds();
    outbound.quality_limitation_resolution_changes = layer->resolution_changes;
    if (source_.temporal_layers > 1) {
      outbound.scalability_mode = source_.temporal_layers == 2 ? "L1T2" : "L1T3";
    }
    stats.outbound_rtp.push_back(std::move(outbound));
  }
  const Layer& top = *layers_.back();
  MediaSourceStats source;
  source.track_identifier = config_.track_id;
  source.mid = config_.mid;
  source.kind = Kind::kVideo;
  source.width = static_cast<uint32_t>(source_.width);
  source.height = static_cast<uint32_t>(source_.height);
  for (const auto& layer : layers_) source.frames = std::max(source.frames, layer->frames);
  source.frames_per_second = top.last_second.Count(now);
  stats.media_source.push_back(std::move(source));
}

}  // namespace rtclab::media
