/* poller.h - where the engine's thread waits: for libcurl's sockets, its timer, and a bell. */
#ifndef SMMPANEL_SOCKETS_H
#define SMMPANEL_SOCKETS_H

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  CURLM *multi;
  struct pollfd *list; /* the bell, then what libcurl waits for */
  int count, room;
  int64_t due; /* when libcurl wants to be called, in milliseconds_now; -1: not at all */
} sockets;

int64_t milliseconds_now(void); /* monotonic */
bool sockets_open(sockets *s, int bell);
void sockets_close(sockets *s);               /* after the multi handle */
bool sockets_serve(sockets *s, CURLM *multi); /* another one is forgotten */

/* Until something comes, and libcurl was told. False: it had no memory, and the multi handle is of no more use. */
bool sockets_wait(sockets *s, int longest_ms);

#endif
