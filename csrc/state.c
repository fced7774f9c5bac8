/* state.c - see state.h. */
#include "state.h"
#include "compat.h"

#define STATE "smmpanel.state"

state *state_get(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, STATE);
  state *s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

void state_push_transfers(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, STATE);
  lua_getuservalue(L, -1);
  lua_remove(L, -2);
}

static int state_gc(lua_State *L) {
  state *s = lua_touserdata(L, 1);
  if (s->engine) engine_free(s->engine);
  s->engine = NULL;
  s->closed = true;
  return 0;
}

void state_open(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, STATE);
  bool there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (there) return;
  state *s = lua_newuserdata(L, sizeof *s);
  *s = (state){0};
  lua_newtable(L);
  lua_setuservalue(L, -2);
  lua_newtable(L);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, STATE);
}

void state_end(state *s, transfer *t) {
  t->ended = true;
  t->ended_next = s->ended;
  s->ended = t;
  s->ended_count++;
}

/* After a fork the thread and its connections belong to the parent: the transfers in flight end here, and a new engine
 * is made. */
static void leave_parents_engine(lua_State *L, state *s) {
  state_push_transfers(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    transfer *t = lua_touserdata(L, -1);
    if (t->ended) continue;
    t->exchange->outcome =
        (exchange_outcome){.code = "cancelled", .text = "the process was forked", .sent = true};
    state_end(s, t);
  }
  lua_pop(L, 1);
  s->engine = NULL;
}

engine *state_engine(lua_State *L, const char **why) {
  state *s = state_get(L);
  if (s->engine && !engine_is_ours(s->engine)) leave_parents_engine(L, s);
  if (!s->engine && s->closed) *why = "the Lua state is closing";
  if (!s->engine && !s->closed) s->engine = engine_new(why);
  return s->engine;
}

engine *state_need_engine(lua_State *L) {
  const char *why = NULL;
  engine *e = state_engine(L, &why);
  if (!e) luaL_error(L, "smmpanel: the network thread cannot be started: %s", why);
  return e;
}
