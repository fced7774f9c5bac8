/* notifier.h - wakes the event loop of another thread: a byte on a descriptor, at most one at a time.
 *
 * Owner: the code that declares it; notifier_open first, notifier_close last, also if open failed. The owner makes
 * all calls under one lock; any thread may poll the descriptor `reader` without it. Nothing here throws. */
#ifndef SMMPANEL_NOTIFIER_H
#define SMMPANEL_NOTIFIER_H

#include <stdbool.h>

typedef struct {
  int reader, writer; /* a socket pair; the reader is -1 once a client has connected to the listener */
  int listener;
  bool raised; /* a byte was sent and notifier_lower was not called since */
  char path[96];
} notifier;

#define NOTIFIER_CLOSED ((notifier){.reader = -1, .writer = -1, .listener = -1})

/* False: no more descriptors. */
bool notifier_open(notifier *n);
void notifier_close(notifier *n);

/* In a child that was forked since: closes the descriptors. */
void notifier_abandon(notifier *n);

/* Makes the reader readable, unless it is already. */
void notifier_raise(notifier *n);

/* Reads the byte, so that the reader is not readable any more. */
void notifier_lower(notifier *n);

/* Listens on a unix socket at n->path, in a directory that only this user can access. False: see errno. */
bool notifier_listen(notifier *n);

/* Accepts the connection to that socket, which then replaces the socket pair. False: there is none. */
bool notifier_accept(notifier *n);

#endif
