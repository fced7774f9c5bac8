/* poller.h - waits in the engine's thread: for libcurl's sockets, libcurl's timers, and one more descriptor.
 *
 * Owner: the multi handles' owner; all calls on the engine's thread. Call poller_close after curl_multi_cleanup, which
 * runs the poller's callbacks. Nothing here throws. */
#ifndef SMMPANEL_POLLER_H
#define SMMPANEL_POLLER_H

#include "curl_api.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct poller poller;

/* One multi handle. Its owner must not move it while it is attached. */
typedef struct {
  poller *poller;
  CURLM *multi;
  int64_t due; /* when libcurl wants to be called, in clock_milliseconds; -1: never */
  bool broken; /* libcurl ran out of memory, and the multi handle cannot be used any more */
} poller_source;

enum { POLLER_SOURCES = 5 };

typedef struct {
  poller_source *source; /* its multi handle */
  int64_t average;       /* nanoseconds that its last events took libcurl */
} poller_socket;

struct poller {
  struct pollfd *list;    /* the extra descriptor, then libcurl's sockets */
  poller_socket *sockets; /* for each entry of `list` */
  int count, room;
  int news;                  /* poll's result */
  int short_turn, long_turn; /* the sockets that were handled last */
  poller_source *attached[POLLER_SOURCES];
};

/* False: out of memory. */
bool poller_open(poller *p, int descriptor);
void poller_close(poller *p);

/* Watches the sockets and timers of a multi handle. False: libcurl refused, or too many handles are attached. */
bool poller_attach(poller *p, poller_source *s, CURLM *multi);

/* Call it after curl_multi_cleanup. */
void poller_detach(poller *p, poller_source *s);

/* Waits for an event, at most longest_ms. Returns whether the extra descriptor is readable. */
bool poller_wait(poller *p, int longest_ms);

/* After poller_wait: lets libcurl handle its sockets' events and its timers. */
void poller_report(poller *p);

#endif
