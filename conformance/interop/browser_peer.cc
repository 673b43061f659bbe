// Our PeerConnection in real time on loopback, for browser_test.py: commands come as JSON lines on standard input, what happens goes
// as JSON lines to standard output. browser_page.js does the same with a browser's. One connection; it ends with the input.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "conformance/socket/udp_driver.h"
#include "stack/base/check.h"
#include "stack/crypto/digest.h"
#include "stack/peer/peer_connection.h"

namespace rtclab::conformance {
namespace {

using nlohmann::json;
using peer::PeerConnection;

// How long a command waits at most before it is read.
constexpr TimeDelta kInputInterval = TimeDelta::Millis(2);

void Say(const json& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

std::string DigestOf(ByteView data) { return ToHex(crypto::Sha256(data)); }

peer::PeerConfig ConfigOf(const json& options) {
  peer::PeerConfig config;
  config.ice.allow_loopback = true;
  config.randomness = dtls::Randomness::kSystem;
  config.answer_active = options.value("answer_active", true);
  config.configuration.bundle_policy = peer::BundlePolicy::kMaxBundle;
  return config;
}

// Loses every so manieth media packet, in either direction; RTCP (RFC 5761 section 4) and all else passes.
class LossyConnection {
 public:
  using Event = peer::PeerEvent;

  LossyConnection(PeerConnection& connection, int one_in) : pc_(connection), one_in_(one_in) {}

  void HandlePacket(Timestamp now, const Datagram& packet) {
    if (!Lost(packet.payload, received_)) pc_.HandlePacket(now, packet);
  }
  void HandleIcmp(Timestamp now, const IcmpError& error) { pc_.HandleIcmp(now, error); }
  void HandleTimeout(Timestamp now) { pc_.HandleTimeout(now); }
  std::optional<Transmit> PollTransmit() {
    auto transmit = pc_.PollTransmit();
    while (transmit && Lost(transmit->payload, sent_)) transmit = pc_.PollTransmit();
    return transmit;
  }
  std::optional<peer::PeerEvent> PollEvent() { return pc_.PollEvent(); }
  Timestamp NextTimeout() const { return pc_.NextTimeout(); }

 private:
  bool Lost(ByteView packet, int& count) const {
    if (one_in_ == 0 || packet.size() < 12 || packet[0] >> 6 != 2) return false;
    const int type = packet[1] & 0x7f;
    return !(type >= 64 && type < 96) && ++count % one_in_ == 0;
  }

  PeerConnection& pc_;
  int one_in_;
  int received_ = 0, sent_ = 0;
};

class BrowserPeer {
 public:
  explicit BrowserPeer(const json& options)
      : rng_(options.value("seed", uint64_t{1})),
        pc_(ConfigOf(options), rng_, driver_.Now()),
        path_(pc_, options.value("lose_one_in", 0)) {
    host_ = driver_.Add(
        path_, [this](peer::PeerEvent&& event) { std::visit([this](auto& e) { On(e); }, event); });
  }

  void Run() {
    std::string pending;
    while (ReadInput(pending)) {
      for (std::size_t end; (end = pending.find('\n')) != std::string::npos;) {
        const std::string line = pending.substr(0, end);
        pending.erase(0, end + 1);
        Obey(json::parse(line));
      }
      driver_.RunFor(kInputInterval);
    }
  }

 private:
  // False at the end of the input.
  static bool ReadInput(std::string& pending) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (poll(&input, 1, 0) > 0) {
      std::array<char, 65'536> buffer;
      const ssize_t size = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (size <= 0) return false;
      pending.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return true;
  }

  // --- Commands ---

  template <typename T>
  T Must(peer::PeerResult<T> result, std::string_view what) {
    if (!result) {
      Say({{"event", "error"},
           {"what", what},
           {"error", std::string(ToString(result.error().name)) + ": " + result.error().message}});
    }
    if constexpr (!std::is_void_v<T>) return result ? std::move(*result) : T{};
  }

  void Obey(const json& command) {
    using Handler = void (BrowserPeer::*)(const json&);
    static const std::map<std::string, Handler, std::less<>> kHandlers = {
        {"media", &BrowserPeer::Media},
        {"quiet", &BrowserPeer::Quiet},
        {"offer", &BrowserPeer::Offer},
        {"restart", &BrowserPeer::Restart},
        {"description", &BrowserPeer::Describe},
        {"candidate", &BrowserPeer::Candidate},
        {"open", &BrowserPeer::Open},
        {"send", &BrowserPeer::Send},
        {"close", &BrowserPeer::CloseChannel},
        {"stats", &BrowserPeer::Stats},
        {"hangup", &BrowserPeer::HangUp},
    };
    (this->*kHandlers.at(command.at("op").get<std::string>()))(command);
  }

  void Media(const json& /*command*/) {
    media::VideoModelConfig video;
    video.width = 640;
    video.height = 480;
    video.max_rate = DataRate::KilobitsPerSec(1000);
    const Timestamp now = driver_.Now();
    Must(pc_.AddTrack(now, peer::MediaTrack::Audio("microphone"), {"stream"}), "addTrack");
    Must(pc_.AddTrack(now, peer::MediaTrack::Video("camera", video), {"stream"}), "addTrack");
    Say({{"event", "media"}});
  }

  void Quiet(const json& /*command*/) {
    for (const peer::Transceiver& t : pc_.transceivers())
      Must(pc_.ReplaceTrack(driver_.Now(), t.id, std::nullopt), "replaceTrack");
  }

  void Offer(const json& /*command*/) {
    Must(pc_.SetLocalDescription(driver_.Now()), "setLocalDescription");
    SayDescription();
  }

  void Restart(const json& command) {
    pc_.RestartIce(driver_.Now());
    Offer(command);
  }

  void Describe(const json& command) {
    const bool offer = command.at("type") == "offer";
    Must(pc_.SetRemoteDescription(driver_.Now(),
                                  {offer ? peer::SdpType::kOffer : peer::SdpType::kAnswer,
                                   command.at("sdp").get<std::string>()}),
         "setRemoteDescription");
    if (offer) Offer(command);
  }

  void SayDescription() {
    const auto description = pc_.local_description();
    if (!description) return;
    Say({{"event", "description"},
         {"type", ToString(description->type)},
         {"sdp", description->sdp}});
  }

  void Candidate(const json& command) {
    peer::IceCandidateInit candidate;
    candidate.candidate = command.at("candidate").get<std::string>();
    if (command.contains("sdpMid")) candidate.sdp_mid = command.at("sdpMid").get<std::string>();
    if (command.contains("sdpMLineIndex"))
      candidate.sdp_m_line_index = command.at("sdpMLineIndex").get<uint16_t>();
    if (command.contains("usernameFragment"))
      candidate.username_fragment = command.at("usernameFragment").get<std::string>();
    Must(pc_.AddIceCandidate(driver_.Now(), candidate), "addIceCandidate");
  }

  void Open(const json& command) {
    const auto label = command.at("label").get<std::string>();
    channels_[label] = Must(
        pc_.CreateDataChannel(driver_.Now(), {.label = label, .ordered = command.at("ordered")}),
        "createDataChannel");
  }

  // Messages of these sizes, their content drawn from the seed: text of printable characters or bytes.
  void Send(const json& command) {
    const auto label = command.at("label").get<std::string>();
    const bool binary = command.at("binary").get<bool>();
    Rng content(command.at("seed").get<uint64_t>(), "messages");
    for (const int size : command.at("sizes").get<std::vector<int>>()) {
      Bytes message(static_cast<std::size_t>(size));
      if (binary) {
        content.Fill(message);
      } else {
        const std::string text = content.IceString(size);
        message.assign(text.begin(), text.end());
      }
      SayMessage("sent", label, binary, message);
      Must(pc_.Send(driver_.Now(), channels_.at(label), binary, std::move(message)), "send");
    }
  }

  static void SayMessage(std::string_view event, const std::string& label, bool binary,
                         ByteView message) {
    Say({{"event", event},
         {"label", label},
         {"binary", binary},
         {"size", message.size()},
         {"digest", DigestOf(message)}});
  }

  void CloseChannel(const json& command) {
    pc_.CloseDataChannel(driver_.Now(), channels_.at(command.at("label").get<std::string>()));
  }

  void Stats(const json& /*command*/) {
    json entries = json::array();
    for (const peer::Stats& stats : pc_.GetStats(driver_.Now()).entries) {
      json entry = {{"type", ToString(stats.type)}, {"id", stats.id}};
      for (const auto& [name, value] : stats.members)
        std::visit([&entry, &n = name](const auto& v) { entry[n] = v; }, value);
      entries.push_back(std::move(entry));
    }
    // And what came and was of no use, which the W3C does not count.
    json unused = json::object();
    for (const int id : pc_.transports()) {
      const media::Engine* engine = pc_.transport(id)->engine();
      if (engine == nullptr) continue;
      const media::EngineStats stats = engine->stats(driver_.Now());
      unused = {{"malformed", stats.packets_malformed},
                {"unknown stream", stats.packets_unknown_stream},
                {"RTCP malformed", stats.rtcp_malformed}};
    }
    Say({{"event", "stats"}, {"stats", std::move(entries)}, {"unused", std::move(unused)}});
  }

  void HangUp(const json& /*command*/) { pc_.Close(driver_.Now()); }

  // --- Events ---

  template <typename T>
  void On(const T& /*event*/) {}

  void On(const peer::SocketsWanted& wanted) {
    const auto address = driver_.Bind(host_, {IpAddress::V4(127, 0, 0, 1), 0});
    CHECK(address.has_value());
    pc_.AddSockets(driver_.Now(), wanted.transport, {&*address, 1});
  }
  void On(const peer::SocketsReleased& released) {
    for (const TransportAddress& address : released.addresses) driver_.Close(address);
  }
  void On(const peer::IceCandidate& event) {
    const peer::IceCandidateInit& candidate = event.candidate;
    json line = {{"event", "candidate"}, {"candidate", candidate.candidate}};
    if (candidate.sdp_mid) line["sdpMid"] = *candidate.sdp_mid;
    if (candidate.sdp_m_line_index) line["sdpMLineIndex"] = *candidate.sdp_m_line_index;
    if (candidate.username_fragment) line["usernameFragment"] = *candidate.username_fragment;
    Say(line);
  }
  void On(const peer::ConnectionStateChanged& event) {
    Say({{"event", "state"}, {"state", ToString(event.state)}});
  }
  void On(const peer::ConnectionFailed& event) {
    Say({{"event", "failed"}, {"reason", event.reason}, {"detail", event.detail}});
  }
  void On(const datachannel::ChannelAnnounced& event) {
    channels_[event.init.label] = event.id;
    Say({{"event", "announced"}, {"label", event.init.label}, {"ordered", event.init.ordered}});
  }
  void On(const datachannel::ChannelOpen& event) {
    Say({{"event", "open"}, {"label", pc_.channel_init(event.id).label}});
  }
  void On(const datachannel::ChannelClosed& event) {
    Say({{"event", "closed"}, {"label", pc_.channel_init(event.id).label}});
  }
  void On(const datachannel::MessageReceived& event) {
    SayMessage("received", pc_.channel_init(event.id).label, event.binary, event.payload);
  }
  void On(const datachannel::ProtocolViolation& event) {
    // Chromium acknowledges unordered channels so, whatever RFC 8832 section 6 says.
    if (event.reason.starts_with("dcep_unordered: an unordered DATA_CHANNEL_ACK")) return;
    Say({{"event", "error"}, {"what", "data channels"}, {"error", event.reason}});
  }

  UdpDriver driver_;
  Rng rng_;
  PeerConnection pc_;
  LossyConnection path_;
  UdpDriver::Host* host_ = nullptr;
  std::map<std::string, datachannel::ChannelId> channels_;
};

}  // namespace
}  // namespace rtclab::conformance

// The one argument: options of the connection as a JSON object.
int main(int argc, char** argv) {
  rtclab::conformance::BrowserPeer(nlohmann::json::parse(argc > 1 ? argv[1] : "{}")).Run();
  return 0;
}
