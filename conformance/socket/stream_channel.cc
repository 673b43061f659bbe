#include <utility>

#include "conformance/socket/channel_impl.h"
#include "conformance/socket/wait.h"

namespace rtclab::conformance {
namespace {

// A read of a stream gives no more than this.
constexpr std::size_t kStreamBuffer = 65'536;

}  // namespace

StreamChannel::StreamChannel(Transport transport, TcpSocket socket, TimeDelta send_timeout)
    : Channel(transport, socket.local(), socket.remote()),
      socket_(std::move(socket)),
      send_timeout_(send_timeout),
      buffer_(new uint8_t[kStreamBuffer]) {}

StreamChannel::~StreamChannel() {
  // What the system takes at once: nobody waits for a goodbye.
  if (!secure_ || write_ended_) return;
  secure_->Close();
  Flush(Timestamp::Zero());
}

void StreamChannel::End(std::string why) {
  read_ended_ = true;
  if (close_reason_.empty()) close_reason_ = std::move(why);
}

Opening StreamChannel::FinishConnect(Timestamp deadline) {
  for (;;) {
    const auto connected = socket_.FinishConnect();
    if (!connected) return {Stage::kConnect, connected.error().reason};
    if (*connected) return {};
    if (WaitFor(socket_.descriptor(), POLLOUT, deadline, interruptible()) != 0) continue;
    if (interruptible() && Interrupted()) return {Stage::kInterrupted, "interrupted"};
    return {Stage::kConnect, "connect " + remote().ToString() + ": no answer in time", true};
  }
}

Opening StreamChannel::Handshake(SecureStream secure, Timestamp deadline) {
  secure_.emplace(std::move(secure));
  const std::string what = "TLS handshake with " + remote().ToString() + ": ";
  Flush(deadline);
  while (secure_->state() == SecureStream::State::kHandshaking && !read_ended_) {
    if (Pull()) continue;
    if (WaitFor(socket_.descriptor(), POLLIN, deadline, interruptible()) != 0) continue;
    if (interruptible() && Interrupted()) return {Stage::kInterrupted, "interrupted"};
    return {Stage::kHandshake, what + "no answer in time", true};
  }
  if (secure_->state() == SecureStream::State::kHandshaking) {
    return {Stage::kHandshake, what + close_reason_};
  }
  if (secure_->state() == SecureStream::State::kFailed) {
    return {Stage::kHandshake, what + secure_->reason()};
  }
  return {};
}

void StreamChannel::TakeSecure() {
  while (auto bytes = secure_->PollReceived()) {
    incoming_.push_back({*std::move(bytes), remote(), RealNow(), {}});
  }
  const auto state = secure_->state();
  if (state != SecureStream::State::kClosed && state != SecureStream::State::kFailed) return;
  const bool in_order = secure_->reason() == "close_notify" || secure_->reason() == "closed here";
  End(in_order ? "closed" : secure_->reason());
}

bool StreamChannel::Pull() {
  if (read_ended_) return false;
  const TcpSocket::Io io = socket_.Read({buffer_.get(), kStreamBuffer});
  switch (io.status) {
    case TcpSocket::Status::kBlocked:
      return false;
    case TcpSocket::Status::kReset:
      End(socket_.error() == "Connection reset by peer" ? "reset" : socket_.error());
      write_ended_ = true;
      return true;
    case TcpSocket::Status::kEnd:
      if (secure_) {
        secure_->HandleEnd();
        TakeSecure();
      }
      End("closed");
      return true;
    case TcpSocket::Status::kOk:
      break;
  }
  const ByteView bytes(buffer_.get(), io.size);
  if (!secure_) {
    incoming_.push_back({Bytes(bytes.begin(), bytes.end()), remote(), RealNow(), {}});
    return true;
  }
  secure_->HandleBytes(bytes);
  // An alert, or the next flight: small, and not waited for longer than for data.
  Flush(RealNow() + send_timeout_);
  TakeSecure();
  return true;
}

bool StreamChannel::WriteAll(ByteView bytes, Timestamp deadline) {
  while (!bytes.empty() && !write_ended_) {
    const TcpSocket::Io io = socket_.Write(bytes);
    if (io.status == TcpSocket::Status::kOk) {
      bytes = bytes.subspan(io.size);
      continue;
    }
    if (io.status == TcpSocket::Status::kReset) {
      End("reset");
      write_ended_ = true;
      break;
    }
    const short wanted = static_cast<short>(read_ended_ ? POLLOUT : POLLOUT | POLLIN);
    const short ready = WaitFor(socket_.descriptor(), wanted, deadline, interruptible());
    if (ready == 0) break;
    if ((ready & POLLIN) != 0) Pull();
  }
  // A stream with a hole would be worse than a late one: the rest goes out before anything else.
  unsent_.assign(bytes.begin(), bytes.end());
  return bytes.empty();
}

bool StreamChannel::WriteUnsent(Timestamp deadline) {
  const Bytes rest = std::exchange(unsent_, {});
  return WriteAll(rest, deadline);
}

bool StreamChannel::Flush(Timestamp deadline) {
  if (flushing_) return true;  // called by a read amid a write, which goes on with what is new
  flushing_ = true;
  bool sent = WriteUnsent(deadline);
  while (sent) {
    const auto bytes = secure_->PollTransmit();
    if (!bytes) break;
    sent = WriteAll(*bytes, deadline);
  }
  flushing_ = false;
  return sent;
}

Result<void> StreamChannel::Send(ByteView bytes) {
  if (write_ended_) return Fail(close_reason_.empty() ? "closed here" : close_reason_);
  const Timestamp deadline = RealNow() + send_timeout_;
  bool sent = false;
  if (secure_) {
    if (auto taken = secure_->Send(bytes); !taken) return taken;
    sent = Flush(deadline);
  } else {
    sent = WriteUnsent(deadline) && WriteAll(bytes, deadline);
  }
  if (sent) return {};
  if (!close_reason_.empty()) return Fail(close_reason_);
  return Fail(Interrupted() ? "interrupted" : "the peer does not read");
}

std::optional<Received> StreamChannel::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  for (;;) {
    if (!incoming_.empty()) {
      Received out = std::move(incoming_.front());
      incoming_.pop_front();
      return out;
    }
    if (read_ended_) return std::nullopt;
    if (Pull()) continue;
    if (WaitFor(socket_.descriptor(), POLLIN, deadline, interruptible()) == 0) {
      return std::nullopt;
    }
  }
}

bool StreamChannel::closed() const { return read_ended_ && incoming_.empty(); }

std::string_view StreamChannel::close_reason() const { return close_reason_; }

void StreamChannel::CloseWrite() {
  if (write_ended_) return;
  if (secure_) {
    secure_->Close();
    Flush(RealNow() + send_timeout_);
  }
  socket_.ShutdownWrite();
  write_ended_ = true;
}

void StreamChannel::Reset() {
  socket_.Reset();
  incoming_.clear();
  write_ended_ = true;
  End("closed here");
}

const SecureInfo* StreamChannel::secure() const { return secure_ ? &secure_->info() : nullptr; }

}  // namespace rtclab::conformance
