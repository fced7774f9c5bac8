/* engine.h - HTTP in a separate thread: queues in, queues out, and a descriptor that becomes readable on news.
 *
 * Owner: one Lua state, which calls everything here on its own thread; engine_free stops the engine's thread and waits
 * for it. After a fork only the parent has the thread: the child checks engine_is_ours and makes a new engine. Bodies
 * and outcomes are copied out, exchanges are shared by counted references. Nothing here throws. No Lua, no JSON. */
#ifndef SMMPANEL_ENGINE_H
#define SMMPANEL_ENGINE_H

#include "exchange.h"

enum {
  ENGINE_EXCHANGES_MAX = 4096,  /* in flight in one engine */
  ENGINE_QUEUE_MAX = 256 * 1024 /* unread bytes of one body at which its transfer is paused */
};

typedef struct engine engine;

/* NULL: *why is the reason, a static text. */
engine *engine_new(const char **why);

/* Does nothing in a child that was forked since: the connections belong to the parent. */
void engine_free(engine *e);

/* False in a child that was forked since. There the memory stays allocated, and these descriptors stay open: libcurl's
 * two for each multi handle, and the two of a watched descriptor. */
bool engine_is_ours(const engine *e);

/* A descriptor that is readable when engine_ready has an exchange; owned by the engine. */
int engine_descriptor(const engine *e);

/* The same, for an event loop that watches it from now on. */
int engine_watched_descriptor(engine *e);

/* The number of exchanges that were submitted and have not ended. */
int engine_in_flight(engine *e);

/* The caller has handled news: the descriptor stays readable only if more is queued. */
void engine_acknowledge(engine *e);

/* For nginx: the path of a unix socket to connect to, or NULL and errno. The engine owns the text. */
const char *engine_listen(engine *e);

/* Accepts that connection, which then replaces the descriptor. False: there was no connection. */
bool engine_accept(engine *e);

/* Starts an exchange, and acquires a reference to it. False: too many are in flight. */
bool engine_submit(engine *e, exchange *x);

/* Ends an exchange as cancelled, as soon as the thread handles the request. Does nothing if it has ended. */
void engine_cancel(engine *e, exchange *x);

/* The next exchange with news, with a reference that the caller releases, or NULL. */
exchange *engine_ready(engine *e);

/* Moves a piece of the body out; the exchange is queued again if more is unread. Returns the number of bytes. */
size_t engine_read_body(engine *e, exchange *x, char *into, size_t size);

/* Whether the exchange has ended and all its body was read: from then on its outcome is the caller's. */
bool engine_is_done(engine *e, exchange *x);

#endif
