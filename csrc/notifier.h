/* notifier.h - wakes another thread: a byte on a descriptor that it waits for.
 *
 * `raised` means that the other thread looks for news anyway: it is awake, or a byte is on its way to it. So a byte is
 * sent only when somebody may be asleep, and one byte stands for any number of news. The thread that waits clears
 * `raised` when it has found no more news, under the same lock under which news is queued: none is lost.
 *
 * Owner: the code that declares it; notifier_open first, notifier_close last, also if open failed. `raised` is protected
 * by the owner's lock. notifier_send needs no lock, and is best called without it: the woken thread would wait for the
 * lock. Its byte may arrive after the other thread has found the news by itself; then that thread wakes up for nothing.
 * Nothing here throws. */
#ifndef SMMPANEL_NOTIFIER_H
#define SMMPANEL_NOTIFIER_H

#include <stdbool.h>

typedef struct {
  int reader, writer; /* a socket pair; the reader is -1 once a client has connected to the listener */
  int listener;
  bool raised;
  char path[96];
} notifier;

#define NOTIFIER_CLOSED ((notifier){.reader = -1, .writer = -1, .listener = -1})

/* False: no more descriptors. */
bool notifier_open(notifier *n);
void notifier_close(notifier *n);

/* An event loop may watch the reader: a forked child keeps it. Otherwise the child closes the socket pair. */
void notifier_keep(notifier *n);

/* With the lock, after news was queued: sets `raised`. Returns whether notifier_send must be called. */
bool notifier_raise(notifier *n);

/* Makes the reader readable. */
void notifier_send(const notifier *n);

/* Reads all bytes, so that the reader is not readable any more. Call it before looking for news, or clearing `raised`. */
void notifier_drain(const notifier *n);

/* Listens on a unix socket at n->path, in a directory that only this user can access. False: see errno. */
bool notifier_listen(notifier *n);

/* With the lock: accepts the connection to that socket, which then replaces the socket pair. False: there is none. */
bool notifier_accept(notifier *n);

#endif
