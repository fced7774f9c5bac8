/* Preloaded: the engine's thread finds out about its sockets late, as on a machine that is overloaded, stopped or
 * suspended. HOLD_AT: after which wait of the thread that brought something, from 1; HOLD_SECONDS: for how long. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int poll(struct pollfd *list, nfds_t count, int timeout) {
  static int (*real)(struct pollfd *, nfds_t, int);
  static atomic_int waits;
  if (!real) real = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
  int news = real(list, count, timeout);
  const char *at = getenv("HOLD_AT"), *seconds = getenv("HOLD_SECONDS");
  if (news <= 0 || !at || !seconds || syscall(SYS_gettid) == getpid()) return news;
  if (atomic_fetch_add(&waits, 1) + 1 != atoi(at)) return news;
  double wait = atof(seconds);
  nanosleep(&(struct timespec){(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)}, NULL);
  return news;
}
