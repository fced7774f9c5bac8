/* poller.h - where the engine's thread waits: for libcurl's sockets, libcurl's timer, and a descriptor of its own.
 *
 * Owner: the multi handle's owner; all calls on the engine's thread. poller_close after curl_multi_cleanup, which
 * calls back. Nothing here throws. */
#ifndef SMMPANEL_POLLER_H
#define SMMPANEL_POLLER_H

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  CURLM *multi;
  struct pollfd *list; /* the own descriptor, then what libcurl waits for */
  int count, room;
  int64_t due; /* when libcurl wants to be called, in milliseconds_now; -1: never */
} poller;

int64_t milliseconds_now(void); /* monotonic; any thread */

/* False: out of memory. */
bool poller_open(poller *p, int descriptor);
void poller_close(poller *p);

/* Sets the multi handle's callbacks. The sockets of a handle before are forgotten. False: libcurl refused. */
bool poller_attach(poller *p, CURLM *multi);

/* Waits until something comes, at most longest_ms, and lets libcurl handle it. False: libcurl had no memory, and the
 * multi handle is of no more use. */
bool poller_wait(poller *p, int longest_ms);

#endif
