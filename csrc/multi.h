/* multi.h - libcurl's multi handles and the exchanges in them.
 *
 * There are two kinds: for HTTP/1.1, with a connection for each request, and for requests that may share an HTTP/2
 * connection, with few connections. With one handle for both, libcurl would decide between the two kinds by the last
 * response of the panel. Before each request libcurl walks over a handle's connections until it finds an idle one, so
 * the HTTP/1.1 handles are several: a request goes to the first one that has room.
 *
 * Owner: the engine. All calls are on the engine's thread, except multi_open before it runs and multi_close after it
 * ended. A started exchange stays in here until `on_end` is called with it. multi_start takes over a reference, which
 * `on_end` receives. Nothing here throws. Knows no Lua, no JSON and no locks. */
#ifndef SMMPANEL_MULTI_H
#define SMMPANEL_MULTI_H

#include "easy.h"
#include "exchange.h"
#include "handle.h"
#include "poller.h"

/* A piece of a body, decompressed. False: out of memory. */
typedef bool multi_body_function(void *user, exchange *x, const char *data, size_t len);
typedef void multi_end_function(void *user, exchange *x);

enum { MULTI_SHARED, MULTI_SINGLE, MULTI_HANDLES = POLLER_SOURCES }; /* the others are like MULTI_SINGLE */

typedef struct {
  poller poller;
  multi_handle handles[MULTI_HANDLES];
  easy_pool easies;
  exchange *active;  /* all exchanges in here */
  exchange *pausing; /* exchanges to pause once control is outside of libcurl's callbacks */
  queue work;        /* exchanges with data to decompress or receive; holds a reference to each */
  int64_t now;       /* in milliseconds, when the turn began */
  int64_t look_at;   /* when to check for overdue exchanges again */
  int64_t period_at; /* when the next period of connections begins */
  multi_body_function *on_body;
  multi_end_function *on_end;
  void *user;
} multi;

/* Zero-initialise it first. False: out of memory; call multi_close even then. */
bool multi_open(multi *m, int descriptor);
void multi_close(multi *m);

/* Starts an exchange. Ends it immediately if its deadline has passed or memory is short. */
void multi_start(multi *m, exchange *x);

/* Ends an exchange, whether or not it was started. */
void multi_end(multi *m, exchange *x, const char *code, const char *text);
void multi_end_all(multi *m, const char *code, const char *text);

/* Called in on_body: pauses this exchange until multi_resume. */
void multi_pause(multi *m, exchange *x);
void multi_resume(multi *m, exchange *x);

/* Waits until libcurl, a timer or the descriptor has news. Returns whether the descriptor has. */
bool multi_wait(multi *m);

/* After multi_wait: handles libcurl's news. */
void multi_turn(multi *m);

#endif
