/* handle.h - one of libcurl's multi handles. Opens it on demand, closes it after a long idle time, and sets how many
 * idle connections it keeps.
 *
 * Owner: multi.c; all calls on the engine's thread. Zero-initialise it. Nothing here throws. */
#ifndef SMMPANEL_HANDLE_H
#define SMMPANEL_HANDLE_H

#include "connections.h"
#include "poller.h"

enum { HANDLE_PERIOD_MS = 15 * 1000 }; /* an idle connection is closed after one to two of these */

typedef struct multi_handle {
  CURLM *curl; /* NULL: closed */
  poller_source source;
  bool limited;  /* few connections to one panel, because all panels so far use HTTP/2 */
  long kept_max; /* the most connections that libcurl keeps */
  unsigned
      idle_part; /* idle connections may use one in so many of the process's descriptors; set by the owner */
  long idle_max; /* how many that is */
  int active;    /* exchanges in it */
  int started, before; /* exchanges started in this period, and in the previous one */
  connections connections;
} multi_handle;

/* Opens it, unless it is open. False: out of memory. */
bool handle_open(multi_handle *h, poller *p);

/* Closes it with all its connections. No exchange may be in it. */
void handle_close(multi_handle *h);

/* Call it when a panel needs a connection for each request. */
void handle_lift_limit(multi_handle *h);

/* Counts an added exchange. */
void handle_count(multi_handle *h);

/* Closes connections that no recent request can have used, or the whole handle if there was no recent request. */
void handle_begin_period(multi_handle *h);

#endif
