/* Preloaded into a program of a spec, for what cannot be waited for or seen otherwise.
 *
 * HOLD_AT, HOLD_SECONDS: the engine's thread finds out about its sockets late, as on a machine that is overloaded,
 * stopped or suspended: after which of its waits that brought something (from 1), and by how much.
 * HOLD_LOADING: opening libcurl takes the thread so many seconds longer.
 * CLOCK_SPEED: the clock of the deadlines runs so many times as fast, and the thread waits so much shorter.
 * WATCH_GETENV: who reads a variable about proxies in another thread than the first is reported on stderr. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* Ours is interposed, too. */
static const char *variable(const char *name) {
  size_t len = strlen(name);
  for (char **e = environ; e && *e; e++)
    if (strncmp(*e, name, len) == 0 && (*e)[len] == '=') return *e + len + 1;
  return NULL;
}

static int in_first_thread(void) {
  return syscall(SYS_gettid) == getpid();
}

static int speed(void) {
  const char *value = variable("CLOCK_SPEED");
  return value ? atoi(value) : 1;
}

static void rest(const char *seconds) {
  double wait = atof(seconds);
  nanosleep(&(struct timespec){(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)}, NULL);
}

static void hold(void) {
  static atomic_int waits;
  const char *at = variable("HOLD_AT"), *seconds = variable("HOLD_SECONDS");
  if (at && seconds && atomic_fetch_add(&waits, 1) + 1 == atoi(at)) rest(seconds);
}

void *dlopen(const char *name, int flags) {
  static void *(*real)(const char *, int);
  if (!real) real = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
  const char *seconds = variable("HOLD_LOADING");
  if (seconds && name && strstr(name, "libcurl") && !in_first_thread()) rest(seconds);
  return real(name, flags);
}

int poll(struct pollfd *list, nfds_t count, int timeout) {
  static int (*real)(struct pollfd *, nfds_t, int);
  if (!real) real = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
  if (in_first_thread()) return real(list, count, timeout);
  int news = real(list, count, timeout > 0 ? (timeout + speed() - 1) / speed() : timeout);
  if (news > 0) hold();
  return news;
}

int clock_gettime(clockid_t id, struct timespec *t) {
  static _Atomic int64_t began;
  int result = (int)syscall(SYS_clock_gettime, id, t);
  if (id != CLOCK_BOOTTIME || speed() == 1) return result;
  int64_t now = (int64_t)t->tv_sec * 1000000000 + t->tv_nsec, first = 0;
  atomic_compare_exchange_strong(&began, &first, now);
  now = began + (now - began) * speed();
  *t = (struct timespec){now / 1000000000, now % 1000000000};
  return result;
}

char *getenv(const char *name) {
  static const char said[] = "a variable was read in the thread\n";
  if (variable("WATCH_GETENV") && strcasestr(name, "proxy") && !in_first_thread())
    if (write(2, said, sizeof said - 1) < 0) abort();
  return (char *)(uintptr_t)variable(name);
}
