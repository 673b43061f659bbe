#include "stack/datachannel/channel.h"

#include "stack/base/check.h"

namespace rtclab::datachannel {

std::string_view ToString(ChannelState state) {
  switch (state) {
    case ChannelState::kConnecting:
      return "connecting";
    case ChannelState::kOpen:
      return "open";
    case ChannelState::kClosing:
      return "closing";
    case ChannelState::kClosed:
      return "closed";
  }
  CHECK(false);
}

std::string_view ToString(TransportState state) {
  switch (state) {
    case TransportState::kNew:
      return "new";
    case TransportState::kConnecting:
      return "connecting";
    case TransportState::kConnected:
      return "connected";
    case TransportState::kClosed:
      return "closed";
  }
  CHECK(false);
}

std::string_view ToString(ErrorName name) {
  switch (name) {
    case ErrorName::kTypeError:
      return "TypeError";
    case ErrorName::kInvalidStateError:
      return "InvalidStateError";
    case ErrorName::kOperationError:
      return "OperationError";
  }
  CHECK(false);
}

std::string_view ToString(ErrorDetail detail) {
  switch (detail) {
    case ErrorDetail::kDataChannelFailure:
      return "data-channel-failure";
    case ErrorDetail::kSctpFailure:
      return "sctp-failure";
  }
  CHECK(false);
}

}  // namespace rtclab::datachannel
