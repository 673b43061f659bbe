// How many descriptors this process may have open.
#ifndef RTCLAB_CONFORMANCE_SOCKET_DESCRIPTOR_LIMIT_H_
#define RTCLAB_CONFORMANCE_SOCKET_DESCRIPTOR_LIMIT_H_

namespace rtclab::conformance {

// Raises the limit as far as the system lets an unprivileged process (RLIMIT_NOFILE: soft to hard): a socket a client or relay is soon more than
// the customary 1,024. What can't be raised stays.
void RaiseDescriptorLimit();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_DESCRIPTOR_LIMIT_H_
