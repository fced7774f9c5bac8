/* clock.h - the clocks for deadlines. Any thread; nothing here throws. */
#ifndef SMMPANEL_CLOCK_H
#define SMMPANEL_CLOCK_H

#include <stdint.h>

/* Time since an arbitrary point. Never goes back, and advances while the machine is suspended. */
int64_t clock_nanoseconds(void);
int64_t clock_milliseconds(void);

/* The same clock; on Linux, without the time for which the machine was suspended. */
int64_t clock_awake_nanoseconds(void);

/* The wall clock, since 1970. */
int64_t clock_wall_milliseconds(void);

/* A point in time on both clocks; it has passed when either clock has passed it. A ledger's lease on another machine
 * runs on the wall clock. Without the check of both, a request could be sent after the lease when the wall clock is set
 * forward or the machine is restored from a snapshot. */
typedef struct {
  int64_t steady, wall; /* in milliseconds */
} deadline;

/* The deadline at a time of clock_milliseconds. */
deadline deadline_at(int64_t steady);

/* Milliseconds until the deadline, negative after it. */
int64_t deadline_left(const deadline *d);

#endif
