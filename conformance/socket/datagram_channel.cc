#include <algorithm>
#include <utility>

#include "conformance/socket/channel_impl.h"
#include "conformance/socket/wait.h"

namespace rtclab::conformance {
namespace {

// The largest UDP datagram there is.
constexpr std::size_t kDatagramBuffer = 65'536;

}  // namespace

DatagramChannel::DatagramChannel(UdpSocket socket, const ChannelOptions& options,
                                 std::optional<SecureStream> secure)
    : Channel(secure ? Transport::kDtls : Transport::kUdp, socket.local(), options.server),
      socket_(std::move(socket)),
      marks_(options.marks),
      secure_(std::move(secure)),
      buffer_(new uint8_t[kDatagramBuffer]) {}

DatagramChannel::~DatagramChannel() {
  // So that the server forgets the association as well.
  if (secure_ && !reset_) CloseWrite();
}

void DatagramChannel::Flush() {
  while (auto datagram = secure_->PollTransmit()) {
    (void)socket_.SendMarked(remote(), *datagram, marks_);
  }
}

void DatagramChannel::TakeIcmp() {
  while (auto error = socket_.ReceiveIcmp()) icmp_.push_back(*error);
}

bool DatagramChannel::Take(std::optional<Received>& out) {
  auto marked = socket_.ReceiveMarked({buffer_.get(), kDatagramBuffer});
  if (!marked) return false;
  const Datagram& d = marked->datagram;
  if (!secure_) {
    out = Received{Bytes(d.payload.begin(), d.payload.end()), d.source, RealNow(), marked->marks};
  } else if (d.source == remote()) {
    secure_->HandleBytes(d.payload);
    Flush();
  }
  return true;
}

bool DatagramChannel::Wait(Timestamp deadline) {
  const Timestamp timer = secure_ ? secure_->NextTimeout() : Timestamp::PlusInfinity();
  if (WaitFor(socket_.descriptor(), POLLIN, std::min(deadline, timer), interruptible()) != 0) {
    TakeIcmp();
    return true;
  }
  if (interruptible() && Interrupted()) return false;
  const Timestamp now = RealNow();
  if (now >= timer) {
    secure_->HandleTimeout();
    Flush();
  }
  return now < deadline;
}

Opening DatagramChannel::Handshake(Timestamp deadline) {
  if (!secure_) return {};
  const std::string what = "DTLS handshake with " + remote().ToString() + ": ";
  Flush();
  bool in_time = true;
  while (secure_->state() == SecureStream::State::kHandshaking) {
    std::optional<Received> none;
    while (Take(none)) {
    }
    for (const IcmpError& error : icmp_) {
      if (IsPortUnreachable(error)) return {Stage::kConnect, what + "port unreachable (ICMP)"};
    }
    if (secure_->state() != SecureStream::State::kHandshaking) break;
    if (interruptible() && Interrupted()) return {Stage::kInterrupted, "interrupted"};
    if (!in_time) return {Stage::kHandshake, what + "no answer in time", true};
    in_time = Wait(deadline);
  }
  if (secure_->state() == SecureStream::State::kFailed) {
    return {Stage::kHandshake, what + secure_->reason()};
  }
  return {};
}

Result<void> DatagramChannel::Send(ByteView bytes) {
  if (!secure_) return SendTo(remote(), bytes, marks_);
  if (reset_) return Fail("closed here");
  auto sent = secure_->Send(bytes);
  Flush();
  return sent;
}

Result<void> DatagramChannel::SendTo(const TransportAddress& destination, ByteView bytes,
                                     const IpMarks& marks) {
  if (secure_) return Channel::SendTo(destination, bytes, marks);
  if (reset_) return Fail("closed here");
  return socket_.SendMarked(destination, bytes, marks);
}

std::optional<Received> DatagramChannel::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  bool in_time = true;
  while (!reset_) {
    if (secure_) {
      if (auto record = secure_->PollReceived()) {
        return Received{*std::move(record), remote(), RealNow(), {}};
      }
      if (secure_->state() != SecureStream::State::kOpen) break;
    }
    std::optional<Received> received;
    const bool took = Take(received);
    if (received) return received;
    if (took) continue;
    if (!in_time) break;
    in_time = Wait(deadline);
  }
  return std::nullopt;
}

std::optional<IcmpError> DatagramChannel::ReceiveIcmp() {
  if (!reset_) TakeIcmp();
  if (icmp_.empty()) return std::nullopt;
  const IcmpError error = icmp_.front();
  icmp_.pop_front();
  return error;
}

bool DatagramChannel::closed() const {
  return reset_ || (secure_ && secure_->state() != SecureStream::State::kOpen);
}

std::string_view DatagramChannel::close_reason() const {
  if (reset_) return "closed here";
  if (!closed()) return "";
  const std::string& reason = secure_->reason();
  return reason == "close_notify" || reason == "closed here" ? "closed" : std::string_view(reason);
}

void DatagramChannel::CloseWrite() {
  if (!secure_ || reset_) return;
  secure_->Close();
  Flush();
}

void DatagramChannel::Reset() { reset_ = true; }

const SecureInfo* DatagramChannel::secure() const { return secure_ ? &secure_->info() : nullptr; }

}  // namespace rtclab::conformance
