/* decoder.c - see decoder.h.
 *
 * Between two pieces the unfinished values are on the stack of a Lua thread that the decoder owns. While a piece is
 * decoded they are on the caller's stack, so that an error reaches the caller's pcall; on a thread without a function
 * it would end a 5.1 program. The userdata owns all memory that is held across a Lua call, so an error leaks nothing.
 * `error` is set before the first call that may throw and cleared after the last, so that after a throw the decoder
 * reports an error. */
#include "decoder.h"
#include "builder.h"
#include "compat.h"
#include "typed.h"

#include <string.h>

#define DECODER "smmpanel.decoder"

struct decoder {
  builder builder;
  lua_State *thread;
  const char *error;
};

static const char no_memory[] = "out of memory";

static void to_caller(lua_State *L, decoder *d) {
  int n = lua_gettop(d->thread);
  luaL_checkstack(L, n + LUA_MINSTACK, NULL);
  d->builder.base = lua_gettop(L);
  lua_xmove(d->thread, L, n);
}

static bool to_thread(lua_State *L, decoder *d) {
  int n = lua_gettop(L) - d->builder.base;
  if (!compat_checkstack(L, d->thread, n)) return false;
  lua_xmove(L, d->thread, n);
  return true;
}

bool decoder_feed(lua_State *L, decoder *d, const char *data, size_t len) {
  if (d->error) return false;
  d->error = no_memory; /* if Lua throws */
  to_caller(L, d);
  json_feed(&d->builder.reader, data, len);
  const char *error = builder_take_events(L, &d->builder);
  if (!error && !to_thread(L, d)) error = no_memory;
  if (error) lua_settop(L, d->builder.base);
  d->error = error;
  return !error;
}

static const char *take_last(lua_State *L, builder *b, const char *data, size_t len) {
  json_feed(&b->reader, data, len);
  const char *error = len ? builder_take_events(L, b) : NULL;
  if (error) return error;
  json_finish(&b->reader);
  return builder_take_events(L, b);
}

bool decoder_finish(lua_State *L, decoder *d, const char *data, size_t len) {
  if (d->error) return false;
  d->error = no_memory;
  to_caller(L, d);
  const char *error = take_last(L, &d->builder, data, len);
  if (error) {
    d->error = error;
    lua_settop(L, d->builder.base);
    return false;
  }
  d->builder.verdict = lua_isnil(L, -1) ? "null" : "whole";
  lua_replace(L, d->builder.base + 1);
  lua_settop(L, d->builder.base + 1);
  d->error = "finished already";
  return true;
}

bool decoder_reached_end(const decoder *d) {
  return d->builder.reader.finished;
}

const char *decoder_error(const decoder *d) {
  return d->error;
}

const char *decoder_verdict(const decoder *d) {
  return d->builder.verdict;
}

void decoder_release(decoder *d) {
  json_free(&d->builder.reader);
  lua_settop(d->thread, 0);
  d->error = "finished already";
}

void decoder_reset(lua_State *L, decoder *d, const decoder_options *o) {
  decoder_release(d);
  builder_init(&d->builder, o);
  d->error = no_memory;
  if (!compat_checkstack(L, d->thread, BUILDER_SLOTS)) luaL_error(L, no_memory);
  lua_settop(d->thread, BUILDER_SLOTS);
  d->error = NULL;
}

/* On 5.1 the uservalue of a userdata must be a table, so the thread is kept in one. */
decoder *decoder_push(lua_State *L, const decoder_options *o) {
  decoder *d = lua_newuserdata(L, sizeof *d);
  memset(d, 0, sizeof *d);
  luaL_setmetatable(L, DECODER);
  lua_createtable(L, 2, 0);
  d->thread = lua_newthread(L);
  lua_rawseti(L, -2, 1);
  lua_setuservalue(L, -2);
  decoder_reset(L, d, o);
  return d;
}

void decoder_keep(lua_State *L, int index) {
  lua_getuservalue(L, -1);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 1);
}

decoder *decoder_check(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, DECODER);
}

/* For Lua: nil, the error, the verdict. */
static int failure(lua_State *L, const decoder *d) {
  lua_pushnil(L);
  lua_pushstring(L, d->error);
  lua_pushstring(L, d->builder.verdict);
  return 3;
}

static int l_feed(lua_State *L) {
  size_t len;
  decoder *d = decoder_check(L, 1);
  const char *data = luaL_checklstring(L, 2, &len);
  if (!decoder_feed(L, d, data, len)) return failure(L, d);
  lua_pushboolean(L, 1);
  return 1;
}

static int l_finish(lua_State *L) {
  decoder *d = decoder_check(L, 1);
  lua_pushboolean(L, 1);
  int results = decoder_finish(L, d, NULL, 0) ? 2 : failure(L, d);
  decoder_release(d); /* a decoder that is used again must hold nothing of this answer */
  return results;
}

static int l_gc(lua_State *L) {
  decoder *d = decoder_check(L, 1);
  json_free(&d->builder.reader);
  return 0;
}

void decoder_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"feed", l_feed}, {"finish", l_finish}, {NULL, NULL}};
  typed_open();
  compat_new_class(L, DECODER, methods, l_gc, NULL);
}
