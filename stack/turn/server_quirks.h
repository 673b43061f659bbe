// Deviations of real servers, to reproduce them in scenarios and to prove that the conformance suite notices. They are faults of
// state or policy that rewriting a correct server's messages cannot produce.
#ifndef RTCLAB_STACK_TURN_SERVER_QUIRKS_H_
#define RTCLAB_STACK_TURN_SERVER_QUIRKS_H_

#include <span>
#include <string_view>

namespace rtclab::turn {

// All off: a server that keeps the RFCs. Each switch names the rule that it breaks; several may be on at once.
struct ServerQuirks {
  // Credentials and nonces, RFC 8489 section 9.2.4.

  bool integrity_unchecked = false;       // any HMAC of a known user is accepted
  bool nonce_never_stale = false;         // a nonce is good for ever: no 438
  bool nonce_of_any_source = false;       // a nonce made for another client is accepted
  bool other_user_accepted = false;       // RFC 8656 section 5: no 441
  bool allocate_unauthenticated = false;  // section 7.2, check 1: Allocate needs no credentials
  // an altered copy of PASSWORD-ALGORITHMS is accepted: bidding down goes unnoticed
  bool bid_down_unchecked = false;
  // section 14.6: MESSAGE-INTEGRITY-SHA256 cut to 16 bytes is accepted
  bool truncated_sha256_accepted = false;
  // RFC 8489 section 6.3.1: no 420, and indications are processed
  bool unknown_attributes_accepted = false;

  // Allocations, RFC 8656 sections 6 to 8.

  // check 2: a second Allocate replaces the first instead of 437
  bool second_allocate_accepted = false;
  // section 7.2: a retransmission gets a new allocation
  bool retransmitted_allocate_is_new = false;
  bool reservation_token_ignored = false;  // check 5: any RESERVATION-TOKEN gives a random port
  // check 5: an unknown, used or expired token gives another port instead of 508
  bool reservation_token_unchecked = false;
  bool even_port_odd = false;           // EVEN-PORT gives odd ports
  bool reservation_forgotten = false;   // the port of a RESERVATION-TOKEN is held for a second only
  bool wrong_family_allocated = false;  // check 7: another family's address instead of 440
  // sections 8.2, 10.2, 12.2: success without effect instead of 443
  bool wrong_family_accepted = false;
  // sections 7.2 and 8.2: the lifetime asked for, below the default and above the maximum
  bool lifetime_unclamped = false;
  bool allocate_lifetime_zero = false;  // section 7.2: LIFETIME 0 in Allocate is granted
  // section 8.2: Refresh with LIFETIME 0 succeeds and deletes nothing
  bool lifetime_zero_ignored = false;
  bool dual_refresh_deletes_both = false;  // section 8.1: deleting one family deletes the other
  bool refresh_has_no_effect = false;      // section 8.2: the answer promises, the timer stays
  bool allocation_never_expires = false;   // section 6
  bool data_refreshes_allocation = false;  // section 6
  bool ports_in_order = false;             // section 7.2: relayed ports count up
  bool ports_outside_range = false;        // section 7.2: relayed ports from 20000 to 40000
  bool quota_ignored = false;              // check 10: no 486
  bool tunnel_clients_accepted = false;    // section 21.4

  // Permissions and relaying, RFC 8656 sections 9 to 11.

  bool permission_never_expires = false;  // section 9: 300 s
  bool permission_not_refreshed = false;  // section 9: a second request does not extend it
  bool permission_by_port = false;        // section 9: compares the port as well as the IP address
  bool first_peer_only = false;  // section 10.2: installs the first XOR-PEER-ADDRESS of several
  bool send_permission_unchecked = false;  // section 11.2: Send relays without a permission
  // sections 11.3, 12.7: peers without a permission reach the client
  bool peer_permission_unchecked = false;
  // section 7.2: whoever shares the client's IP address is permitted from the start
  bool initial_permission = false;
  bool data_refreshes_permission = false;  // section 9: Send and ChannelData refresh
  bool empty_data_dropped = false;         // sections 11.2, 12.6: zero bytes are not relayed
  bool send_without_data_relayed = false;  // section 11.2: no DATA means an empty datagram
  // section 9: one allocation's permission lets the peer reach all
  bool permissions_shared = false;

  // Channels, RFC 8656 section 12.

  bool channel_number_rebindable = false;   // section 12.2: a bound number moves to another peer
  bool channel_peer_rebindable = false;     // section 12.2: a bound peer moves to another number
  bool channel_range_unchecked = false;     // section 12.2: any number can be bound
  bool channel_without_permission = false;  // section 12.2: ChannelBind installs no permission
  bool channel_never_expires = false;       // section 12: 600 s
  bool channel_not_refreshed = false;       // section 12: rebinding does not extend it
  bool channel_data_refreshes = false;      // section 12.6: ChannelData refreshes the binding
  bool short_channel_data_relayed = false;  // section 12.6: fewer bytes than the length says
  bool channel_padding_relayed = false;     // section 12.5: over UDP, padding is relayed as data
  // section 12.7: Data indications although a channel is bound
  bool indication_despite_channel = false;

  // Peer-address policy, RFC 8656 sections 10.2, 11.2, 12.2, 21.4; RFC 6062 section 5.2.

  bool permission_policy_unchecked = false;
  bool send_policy_unchecked = false;
  bool channel_policy_unchecked = false;
  bool connect_policy_unchecked = false;
  bool mapped_policy_unchecked = false;  // IPv4 addresses embedded in IPv6 ones are not judged

  // TCP allocations, RFC 6062 section 5.

  bool tcp_over_udp_accepted = false;  // 5.1: no 400 for clients over UDP
  // 5.1: no 400 for DONT-FRAGMENT, EVEN-PORT, RESERVATION-TOKEN
  bool tcp_attributes_accepted = false;
  bool connect_timeout_short = false;           // 5.2: 447 after 5 s
  bool second_connect_accepted = false;         // 5.2: no 446
  bool accept_without_permission = false;       // 5.3
  bool connection_bind_user_unchecked = false;  // 4.3: no 441
  bool early_peer_data_lost = false;            // 5.2, 5.3: what comes before ConnectionBind
  bool unbound_connection_kept = false;         // 5.2, 5.3: no end after 30 s
  bool peer_close_ignored = false;              // 5.5
  bool client_close_ignored = false;            // 5.5
  bool control_close_ignored = false;           // the allocation outlives its control connection

  // Mobility, RFC 8016 section 3.

  bool ticket_in_allocate_accepted = false;  // 3.1.2: no 400 for a ticket that is not empty
  bool ticket_reusable = false;              // 3.2.2: a replaced ticket still moves the allocation
  bool ticket_constant = false;              // 3.2.2: the answer repeats the ticket
  bool ticket_user_unchecked = false;        // 3.2.2: no 441
  bool path_switched_at_once = false;  // 3.2.2: data takes the new path before the client used it
  bool move_drops_state = false;       // 3.2.2: permissions and channels are lost

  // Third-party authorization, RFC 7635.

  bool token_expiry_unchecked = false;   // section 7
  bool token_lifetime_uncapped = false;  // section 9

  bool operator==(const ServerQuirks&) const = default;
};

struct ServerQuirkInfo {
  std::string_view name;  // as the member is called
  bool ServerQuirks::*member = nullptr;
};
// Every switch, in the order above: for those who turn them on by name or one after the other.
std::span<const ServerQuirkInfo> AllServerQuirks();

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_QUIRKS_H_
