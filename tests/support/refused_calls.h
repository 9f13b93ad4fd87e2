#pragma once
// A system that says no: calls that fail from now on, for this process. For children of a test, which end soon.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

namespace planish::testing {

// False where the system does not let itself be told so. Numbers are those of this machine's calls, whose upper half of
// the 64 bits an argument has is not looked at.
inline bool refuse_calls(long first, long second, int error) {
  const auto number = [](long call) { return static_cast<__u32>(call); };
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number(first), 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number(second), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {sizeof program / sizeof *program, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

constexpr int kSystemDoesNotRefuse = 77;

// What `body` returns in a child where both calls fail with `error`; kSystemDoesNotRefuse: the system did not do so.
template <class Body>
int in_refusing_child(long first, long second, int error, Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(refuse_calls(first, second, error) ? body() : kSystemDoesNotRefuse);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace planish::testing
