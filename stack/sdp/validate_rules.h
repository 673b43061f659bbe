// The rules of Validate() by subject.
#ifndef RTCLAB_STACK_SDP_VALIDATE_RULES_H_
#define RTCLAB_STACK_SDP_VALIDATE_RULES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/sdp/validate.h"

namespace rtclab::sdp {

class Issues {
 public:
  void Error(int line, std::string_view id, std::string message) {
    list_.push_back({line, Severity::kError, std::string(id), std::move(message)});
  }
  void Warn(int line, std::string_view id, std::string message) {
    list_.push_back({line, Severity::kWarning, std::string(id), std::move(message)});
  }
  // By line; issues of one line stay in the order of the rules.
  std::vector<Issue> Take();

 private:
  std::vector<Issue> list_;
};

// Payload types, codecs, header extensions, rids, simulcast and sources of one RTP section.
void ValidateRtp(const MediaDescription& media, Issues& issues);
// What must agree among the sections of a BUNDLE group.
void ValidateBundledRtp(const std::vector<const MediaDescription*>& sections, Issues& issues);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_VALIDATE_RULES_H_
