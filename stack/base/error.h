// What went wrong with input, as data: a reason in words and where.
#ifndef RTCLAB_STACK_BASE_ERROR_H_
#define RTCLAB_STACK_BASE_ERROR_H_

#include <cstddef>
#include <string>
#include <tl/expected.hpp>

namespace rtclab {

struct Error {
  std::string reason;      // one sentence: what was expected and what was found
  std::size_t offset = 0;  // byte offset into the input where parsing stopped

  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> Fail(std::string reason, std::size_t offset = 0) {
  return tl::unexpected<Error>(Error{std::move(reason), offset});
}

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_ERROR_H_
