/* state.h - what one Lua state has: an engine, the transfers in flight, and those that have ended and that Lua has not
 * seen yet.
 *
 * Owner: the Lua state, in its registry. Everything runs on its thread. */
#ifndef SMMPANEL_STATE_H
#define SMMPANEL_STATE_H

#include "engine.h"
#include "transfer.h"

/* Its uservalue is the table of transfers in flight, by exchange: that keeps them alive. */
typedef struct {
  engine *engine;
  transfer *ended; /* which Lua has not seen yet */
  int ended_count;
  bool closed; /* the Lua state is closing: what its last finalizers ask for begins no more */
} state;

/* Makes it, once a Lua state. May throw. */
void state_open(lua_State *L);

/* Throws nothing that a registry with the state in it does not. */
state *state_get(lua_State *L);

/* The engine: made where there is none yet, and made again after a fork. NULL: *why is a static text. May throw. */
engine *state_engine(lua_State *L, const char **why);

/* ... or throws the reason. */
engine *state_need_engine(lua_State *L);

/* Pushes the table of transfers in flight. */
void state_push_transfers(lua_State *L);

/* The next step gives it to Lua. Throws nothing. */
void state_end(state *s, transfer *t);

#endif
