/* multi.h - libcurl's multi handles and the exchanges in them.
 *
 * There are two: one for HTTP/1.1, with as many connections as there are requests, and one for requests that may share
 * a connection of HTTP/2, with few. In one and the same, libcurl takes a panel for one kind or the other by the last
 * answer it saw.
 *
 * Owner: the engine. All calls are on the engine's thread, except multi_open before it runs and multi_close after it
 * ended. An exchange that was started is in here until `on_end` is called with it: that takes over the reference which
 * multi_start was given. Nothing here throws. Knows no Lua, no JSON and no locks. */
#ifndef SMMPANEL_MULTI_H
#define SMMPANEL_MULTI_H

#include "exchange.h"
#include "handle.h"
#include "poller.h"

/* A piece of a body, decompressed. False: out of memory. */
typedef bool multi_body_function(void *user, exchange *x, const char *data, size_t len);
typedef void multi_end_function(void *user, exchange *x);

typedef struct {
  poller poller;
  multi_handle single, shared;
  exchange *active;  /* all that are in here */
  exchange *pausing; /* those that libcurl is to pause as soon as it can be told */
  queue unpack;      /* those with something to decompress; each with a reference */
  bool
      unshared; /* a panel was seen that needs a connection for each request, though it could have shared one */
  int64_t look_at;   /* when to look for overdue ones again */
  int64_t period_at; /* when the next period of connections begins */
  multi_body_function *on_body;
  multi_end_function *on_end;
  void *user;
} multi;

/* Zero-initialise it before. False: out of memory; multi_close is still due. */
bool multi_open(multi *m, int descriptor);
void multi_close(multi *m);

/* Starts an exchange, or ends it at once: where its deadline has passed, or memory is short. */
void multi_start(multi *m, exchange *x);

/* Ends an exchange that was started, or one that never was. */
void multi_end(multi *m, exchange *x, const char *code, const char *text);
void multi_end_all(multi *m, const char *code, const char *text);

/* From within on_body: this exchange is to receive nothing more until multi_resume. */
void multi_pause(multi *m, exchange *x);
void multi_resume(multi *m, exchange *x);

/* Waits until libcurl, a timer or the descriptor has news, and handles what is libcurl's. */
void multi_turn(multi *m);

#endif
