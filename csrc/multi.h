/* multi.h - libcurl's multi handle and the exchanges in it.
 *
 * Owner: the engine. All calls are on the engine's thread, except multi_open before it runs and multi_close after it
 * ended. An exchange that was started is in here until `on_end` is called with it: that takes over the reference which
 * multi_start was given. Nothing here throws. Knows no Lua, no JSON and no locks. */
#ifndef SMMPANEL_MULTI_H
#define SMMPANEL_MULTI_H

#include "connections.h"
#include "exchange.h"
#include "poller.h"

typedef void multi_end_function(void *user, exchange *x);

typedef struct {
  CURLM *handle; /* NULL after libcurl ran out of memory: the next exchange opens another */
  poller poller;
#if CONNECTIONS_GUARDED
  connections connections;
#endif
  exchange *active; /* those in the handle */
  exchange *full;   /* those whose unread body has just become too long */
  bool unshared;    /* a panel was seen that needs a connection for each request */
  int64_t look_at;  /* when to look for overdue ones again */
  multi_end_function *on_end;
  void *user;
} multi;

/* Zero-initialise it before. False: out of memory; multi_close is still due. */
bool multi_open(multi *m, int descriptor, multi_end_function *on_end, void *user);
void multi_close(multi *m);

/* Starts an exchange, or ends it at once where memory is short. */
void multi_start(multi *m, exchange *x);

/* Ends an exchange that was started, or one that never was. */
void multi_end(multi *m, exchange *x, const char *code, const char *text);
void multi_end_all(multi *m, const char *code, const char *text);

/* From within on_body: this exchange is to receive nothing more until multi_resume. */
void multi_pause(multi *m, exchange *x);
void multi_resume(multi *m, exchange *x);

/* Waits until libcurl, its timer or the descriptor has news, and handles what is libcurl's. */
void multi_turn(multi *m);

#endif
