/* notifier.h - how one thread makes another's event loop look: a byte on a descriptor, at most one at a time.
 *
 * Owner: whoever declares it; notifier_open before, notifier_close after, also where open failed. All calls are made
 * under one lock of the owner's; the descriptor `reader` may be polled by anyone without it. Nothing here throws. */
#ifndef SMMPANEL_NOTIFIER_H
#define SMMPANEL_NOTIFIER_H

#include <stdbool.h>

typedef struct {
  int reader, writer; /* our own pair; the reader is -1 once somebody else has connected */
  int listener;
  bool raised; /* a byte was sent and not yet acknowledged by notifier_lower */
  char path[96];
} notifier;

#define NOTIFIER_CLOSED ((notifier){.reader = -1, .writer = -1, .listener = -1})

/* False: no more descriptors. */
bool notifier_open(notifier *n);
void notifier_close(notifier *n);

/* In a child that was forked since: closes the descriptors. */
void notifier_abandon(notifier *n);

/* Makes the reader readable, unless it is so already. */
void notifier_raise(notifier *n);

/* Reads the byte away. */
void notifier_lower(notifier *n);

/* Listens on a unix socket at n->path, in a directory that is the owner's alone. False: errno says why. */
bool notifier_listen(notifier *n);

/* Takes the connection that was made to it in place of the own pair. False: none was made. */
bool notifier_accept(notifier *n);

#endif
