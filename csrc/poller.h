/* poller.h - where the engine's thread waits: for libcurl's sockets, libcurl's timers, and a descriptor of its own.
 *
 * Owner: the multi handles' owner; all calls on the engine's thread. poller_close after curl_multi_cleanup, which
 * calls back. Nothing here throws. */
#ifndef SMMPANEL_POLLER_H
#define SMMPANEL_POLLER_H

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct poller poller;

/* One multi handle. Its owner must not move it while it is attached. */
typedef struct {
  poller *poller;
  CURLM *multi;
  int64_t due; /* when libcurl wants to be called, in clock_milliseconds; -1: never */
  bool broken; /* libcurl had no memory, and the multi handle is of no more use */
} poller_source;

enum { POLLER_SOURCES = 2 };

struct poller {
  struct pollfd *list;     /* the own descriptor, then what libcurl waits for, */
  poller_source **sources; /* ... and for which multi handle */
  int count, room;
  poller_source *attached[POLLER_SOURCES];
};

/* False: out of memory. */
bool poller_open(poller *p, int descriptor);
void poller_close(poller *p);

/* Watches what a multi handle waits for. False: libcurl refused, or there are too many. */
bool poller_attach(poller *p, poller_source *s, CURLM *multi);

/* After curl_multi_cleanup. */
void poller_detach(poller *p, poller_source *s);

/* Waits until something comes, at most longest_ms, and lets libcurl handle it. */
void poller_wait(poller *p, int longest_ms);

#endif
