/* engine.h - HTTP in a thread of its own: queues in, queues out, and a descriptor that becomes readable on news.
 *
 * Owner: one Lua state, which calls everything here on its own thread; engine_free stops the thread and waits for it.
 * After a fork the thread is the parent's: the child asks engine_is_ours and begins anew. A body and an outcome are
 * copied out, an exchange is shared by counted references. Nothing here throws. Knows no Lua and no JSON. */
#ifndef SMMPANEL_ENGINE_H
#define SMMPANEL_ENGINE_H

#include "exchange.h"

enum {
  ENGINE_EXCHANGES_MAX = 4096,  /* in flight in one engine */
  ENGINE_QUEUE_MAX = 256 * 1024 /* bytes of one body waiting for Lua: then it is paused */
};

typedef struct engine engine;

/* NULL: *why is a static text. */
engine *engine_new(const char **why);

/* In a child that was forked since, nothing happens: the connections are the parent's. */
void engine_free(engine *e);

/* In a child that was forked since: closes the descriptors that nobody else can be using. Its memory stays, and so do
 * libcurl's descriptors, which are as the parent's thread left them, and the one that the host's loop may watch. */
void engine_abandon(engine *e);

/* False in a child that was forked since. */
bool engine_is_ours(const engine *e);

/* Readable when engine_ready has something to give; owned by the engine. */
int engine_descriptor(const engine *e);

int engine_in_flight(engine *e);

/* News was looked at: the descriptor stays readable only if some is left. */
void engine_acknowledge(engine *e);

/* nginx: the path of a unix socket to connect to, or NULL and errno. The text is the engine's. */
const char *engine_listen(engine *e);

/* ... and from now on that connection is the descriptor. False: nobody connected. */
bool engine_accept(engine *e);

/* Takes a reference of its own. False: too many are in flight. */
bool engine_submit(engine *e, exchange *x);

/* It ends as soon as the thread sees it; after its end nothing happens. */
void engine_cancel(engine *e, exchange *x);

/* The next exchange with news, with a reference that the caller releases, or NULL. */
exchange *engine_ready(engine *e);

/* Moves a piece of the body out; what is left is news again. -> bytes */
size_t engine_read_body(engine *e, exchange *x, char *into, size_t size);

/* Whether it has ended and its body was read; then *outcome is filled. */
bool engine_is_done(engine *e, exchange *x, exchange_outcome *outcome);

#endif
