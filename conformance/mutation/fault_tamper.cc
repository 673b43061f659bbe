#include "conformance/mutation/fault_tamper.h"

namespace rtclab::conformance {

const stun::IntegrityKey* FaultTamper::KeyOf(ByteView message) const {
  const auto view = stun::MessageView::Parse(message);
  if (!view) return nullptr;
  for (const stun::IntegrityKey& key : keys_) {
    if (view->HasIntegritySha256() ? view->VerifyIntegritySha256(key)
                                   : view->VerifyIntegrity(key)) {
      return &key;
    }
  }
  return nullptr;
}

bool FaultTamper::Change(bool (*change)(Passing&), const turn::FiveTuple& tuple, Bytes& message,
                         const StunEdit* request, TransportAddress* source) {
  auto edit = StunEdit::Parse(message);
  if (!edit) return true;
  const stun::IntegrityKey* key = KeyOf(message);
  // Signed with what we don't know, or wrongly: it stays as it is.
  if (key == nullptr && (edit->sha1 || edit->sha256)) return true;
  Passing passing{*edit, tuple, request, source, memory_, listening_};
  if (!change(passing)) return false;
  message = edit->Build(key);
  return true;
}

bool FaultTamper::FromClient(const turn::FiveTuple& tuple, Bytes& message) {
  if (fault_.response != nullptr) {
    if (auto request = StunEdit::Parse(message)) {
      const stun::TransactionId id = request->id;
      requests_.insert_or_assign(id, std::move(*request));
    }
  }
  if (fault_.request != nullptr && !Change(fault_.request, tuple, message, nullptr, nullptr)) {
    return false;
  }
  return fault_.from_client == nullptr || fault_.from_client(tuple, message);
}

bool FaultTamper::ToClient(const turn::FiveTuple& tuple, Bytes& message, TransportAddress& source) {
  if (fault_.response != nullptr) {
    const StunEdit* request = nullptr;
    if (const auto view = stun::MessageView::Parse(message)) {
      const auto it = requests_.find(view->transaction_id());
      if (it != requests_.end()) request = &it->second;
    }
    if (!Change(fault_.response, tuple, message, request, &source)) return false;
  }
  return fault_.to_client == nullptr || fault_.to_client(tuple, message);
}

bool FaultTamper::ToPeer(Transmit& transmit) {
  return fault_.to_peer == nullptr || fault_.to_peer(transmit);
}

bool FaultTamper::FromPeer(const TransportAddress& peer, const TransportAddress&, Bytes& payload) {
  return fault_.from_peer == nullptr || fault_.from_peer(peer, payload);
}

bool FaultTamper::FromStream(const turn::FiveTuple& tuple, Bytes& bytes) {
  return fault_.from_stream == nullptr || fault_.from_stream(tuple, bytes, memory_);
}

int FaultTamper::CopiesToClient(ByteView message) {
  if (message.size() < 4) return 1;
  const bool data = (message[0] & 0xc0) == 0x40 || LoadU16(message.data()) == 0x0017;
  return data ? fault_.copies_to_client : 1;
}

}  // namespace rtclab::conformance
