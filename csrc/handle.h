/* handle.h - one multi handle of libcurl's: opened when it is needed, closed when it has long been idle, and how many
 * connections it keeps.
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
  bool limited;        /* few connections to one panel, for all that was seen speaks HTTP/2 */
  long kept_max;       /* connections that libcurl keeps at most */
  int active;          /* exchanges in it */
  int started, before; /* exchanges started in this period, and in the one before */
  connections connections;
} multi_handle;

/* Opens it, unless it is open. False: out of memory. */
bool handle_open(multi_handle *h, poller *p);

/* With all its connections. Nothing may be in it. */
void handle_close(multi_handle *h);

/* A panel was seen that needs a connection for each request. */
void handle_lift_limit(multi_handle *h);

/* An exchange was added. */
void handle_count(multi_handle *h);

/* Closes connections that no recent request can have used, or the whole handle where there was none. */
void handle_begin_period(multi_handle *h);

#endif
