/* clock.c - see clock.h. */
#include "clock.h"

#include <time.h>

#if defined(__linux__) && defined(CLOCK_BOOTTIME)
#define STEADY CLOCK_BOOTTIME
#else
#define STEADY CLOCK_MONOTONIC
#endif

static int64_t read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_nanoseconds(void) {
  return read_clock(STEADY);
}

int64_t clock_awake_nanoseconds(void) {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_milliseconds(void) {
  return clock_nanoseconds() / 1000000;
}

int64_t clock_wall_milliseconds(void) {
  return read_clock(CLOCK_REALTIME) / 1000000;
}

deadline deadline_at(int64_t steady) {
  return (deadline){.steady = steady, .wall = clock_wall_milliseconds() + (steady - clock_milliseconds())};
}

int64_t deadline_left(const deadline *d) {
  int64_t steady = d->steady - clock_milliseconds(), wall = d->wall - clock_wall_milliseconds();
  return steady < wall ? steady : wall;
}
