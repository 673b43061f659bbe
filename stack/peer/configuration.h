// How a PeerConnection is set up: the W3C's RTCConfiguration, and what a browser would decide for itself.
#ifndef RTCLAB_STACK_PEER_CONFIGURATION_H_
#define RTCLAB_STACK_PEER_CONFIGURATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/datachannel/channel_manager.h"
#include "stack/dtls/certificate.h"
#include "stack/dtls/srtp_keys.h"
#include "stack/dtls/transport.h"
#include "stack/ice/config.h"
#include "stack/media/config.h"
#include "stack/peer/ice_transport.h"
#include "stack/peer/negotiation/capabilities.h"
#include "stack/peer/types.h"
#include "stack/sctp/config.h"

namespace rtclab::peer {

// RTCIceServer. A URL is "stun:" or "turn:" with an IP address (RFC 7064, RFC 7065): there is no resolver in here.
struct IceServer {
  std::vector<std::string> urls;
  std::string username;
  std::string credential;
};

// RTCConfiguration. rtcpMuxPolicy is "require", the only one there is.
struct Configuration {
  std::vector<IceServer> ice_servers;
  IceTransportPolicy ice_transport_policy = IceTransportPolicy::kAll;
  BundlePolicy bundle_policy = BundlePolicy::kBalanced;
};

// Which FEC we send where the peer takes it.
using FecChoice = media::FecKind;

struct PeerConfig {
  Configuration configuration;
  // Added to the servers of the configuration: for TURN servers that are asked for both families.
  std::vector<TransportAddress> stun_servers;
  std::vector<TurnServer> turn_servers;

  // Our certificate; none: one is made. Sharing one saves the time of making it.
  std::optional<dtls::Certificate> certificate;

  // ICE's modes and timers. `role`, `credentials`, `streams` and `policy` are the connection's business.
  ice::AgentConfig ice;

  Capabilities capabilities = DefaultCapabilities();
  bool bundle = true;             // NegotiatorConfig::bundle
  bool accept_simulcast = false;  // NegotiatorConfig::accept_simulcast
  bool answer_active = true;      // NegotiatorConfig::answer_active

  std::vector<dtls::SrtpProfile> srtp_profiles = dtls::DefaultSrtpProfiles();
  std::size_t dtls_mtu = 1200;                                // bytes of UDP payload
  TimeDelta dtls_handshake_timeout = TimeDelta::Seconds(60);  // from ICE connected
  TimeDelta dtls_retransmission = TimeDelta::Seconds(1);      // RFC 6347 section 4.2.4.1
  dtls::Randomness randomness = dtls::Randomness::kSimulation;
  bool key_log = false;  // KeyLogLine events

  // The timers are those of data channels, not RFC 9260's: their RTO ends at 3 s. The ports are what we describe.
  sctp::AssociationConfig sctp = datachannel::DataChannelAssociationConfig();
  uint64_t max_message_size = 262'144;  // what we accept, bytes; 0: any
  uint16_t max_channels = 65535;

  media::EngineConfig media;  // cname, overhead and feedback SSRC are set by the connection
  FecChoice fec = FecChoice::kNone;
  std::optional<double> fec_protection;  // media::FecConfig::protection
  media::PlayoutConfig playout;
};

// The transport addresses that a configuration's servers name. SyntaxError, InvalidAccessError (TURN without credentials) and
// NotSupportedError (turns, stuns, TCP, names) as webrtc-pc's "validate an ICE server URL" has them.
struct ServerAddresses {
  std::vector<TransportAddress> stun;
  std::vector<TurnServer> turn;
};
PeerResult<ServerAddresses> ResolveServers(const std::vector<IceServer>& servers);

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_CONFIGURATION_H_
