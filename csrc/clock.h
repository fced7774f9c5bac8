/* clock.h - the clock that deadlines are measured by. Any thread; nothing here throws. */
#ifndef SMMPANEL_CLOCK_H
#define SMMPANEL_CLOCK_H

#include <stdint.h>

/* Since some moment in the past. Never goes back, and goes on while the machine is suspended. */
int64_t clock_nanoseconds(void);
int64_t clock_milliseconds(void);

/* The wall clock, since 1970. */
int64_t clock_wall_milliseconds(void);

/* A moment by both clocks. A ledger's lease on another machine runs by the wall clock, so a request must not be sent
 * any more as soon as either has passed it: a wall clock set forward, or a machine restored from a snapshot, would
 * otherwise let it leave after the lease. */
typedef struct {
  int64_t steady, wall; /* in milliseconds */
} deadline;

/* The deadline at a moment of clock_milliseconds. */
deadline deadline_at(int64_t steady);

/* Milliseconds left, negative once it has passed. */
int64_t deadline_left(const deadline *d);

#endif
