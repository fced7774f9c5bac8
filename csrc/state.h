/* state.h - the data of one Lua state: an engine, the transfers in flight, and the ended transfers that were not yet
 * returned to Lua.
 *
 * Owner: the Lua state, in its registry. Everything runs on its thread. */
#ifndef SMMPANEL_STATE_H
#define SMMPANEL_STATE_H

#include "engine.h"
#include "transfer.h"

/* Its uservalue is the table of transfers in flight, by exchange, which keeps them alive. */
typedef struct {
  engine *engine;
  transfer *ended; /* not yet returned to Lua */
  int ended_count;
  bool closed; /* the Lua state is closing: requests from its last finalizers do not start */
} state;

/* Makes the state; call it once per Lua state. May throw. */
void state_open(lua_State *L);

/* Throws nothing after state_open. */
state *state_get(lua_State *L);

/* Returns the engine. Makes one if there is none yet, and after a fork. NULL: *why is a static text. May throw. */
engine *state_engine(lua_State *L, const char **why);

/* The same, but throws the reason. */
engine *state_need_engine(lua_State *L);

/* Pushes the table of transfers in flight. */
void state_push_transfers(lua_State *L);

/* Queues an ended transfer; the next step returns it to Lua. Throws nothing. */
void state_end(state *s, transfer *t);

#endif
