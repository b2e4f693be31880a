#ifndef AIO_ROUTER_PAPER_POLICY_H_
#define AIO_ROUTER_PAPER_POLICY_H_

#include <string_view>

namespace aio {

// The text of policy/paper.toml, embedded when the program was built.
std::string_view PaperPolicyToml();

}  // namespace aio

#endif  // AIO_ROUTER_PAPER_POLICY_H_
