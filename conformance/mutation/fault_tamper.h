// Puts one fault between a server and its sockets.
#ifndef RTCLAB_CONFORMANCE_MUTATION_FAULT_TAMPER_H_
#define RTCLAB_CONFORMANCE_MUTATION_FAULT_TAMPER_H_

#include <map>
#include <vector>

#include "conformance/mutation/fault.h"
#include "conformance/server/tamper.h"

namespace rtclab::conformance {

class FaultTamper : public Tamper {
 public:
  // `keys`: of all users, to sign changed messages as their senders would. `fault` outlives this.
  FaultTamper(const Fault& fault, std::vector<stun::IntegrityKey> keys)
      : fault_(fault), keys_(std::move(keys)) {}
  void SetListening(std::vector<TransportAddress> listening) { listening_ = std::move(listening); }

  bool FromClient(const turn::FiveTuple& tuple, Bytes& message) override;
  bool ToClient(const turn::FiveTuple& tuple, Bytes& message, TransportAddress& source) override;
  bool ToPeer(Transmit& transmit) override;
  bool FromPeer(const TransportAddress& peer, const TransportAddress& relayed,
                Bytes& payload) override;
  bool FromStream(const turn::FiveTuple& tuple, Bytes& bytes) override;
  bool ClosesAfter(const turn::FiveTuple&, ByteView) override { return fault_.closes_after_answer; }
  int CopiesToClient(ByteView message) override;
  int CopiesToPeer(const Transmit&) override { return fault_.copies_to_peer; }

 private:
  const stun::IntegrityKey* KeyOf(ByteView message) const;
  bool Change(bool (*change)(Passing&), const turn::FiveTuple& tuple, Bytes& message,
              const StunEdit* request, TransportAddress* source);

  const Fault& fault_;
  std::vector<stun::IntegrityKey> keys_;
  std::vector<TransportAddress> listening_;
  FaultMemory memory_;
  std::map<stun::TransactionId, StunEdit> requests_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_MUTATION_FAULT_TAMPER_H_
