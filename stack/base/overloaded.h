// std::visit with a lambda for each alternative.
#ifndef RTCLAB_STACK_BASE_OVERLOADED_H_
#define RTCLAB_STACK_BASE_OVERLOADED_H_

namespace rtclab {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_OVERLOADED_H_
