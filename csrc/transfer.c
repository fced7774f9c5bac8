/* transfer.c - see transfer.h.
 *
 * A Lua error (out of memory, a wrong argument) can leave every function here. So when a function calls Lua, everything
 * it owns must already be in a userdata. */
#include "transfer.h"
#include "client.h"
#include "compat.h"
#include "fields.h"
#include "form.h"
#include "state.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { CF_RAY_MAX = 40 };

#define TRANSFER "smmpanel.transfer"

/* The userdata gets its metatable first, so that the collector frees the buffer after any throw. */
static transfer *new_transfer(lua_State *L) {
  transfer *t = lua_newuserdata(L, sizeof *t);
  *t = (transfer){.json = "empty"};
  luaL_setmetatable(L, TRANSFER);
  return t;
}

int transfer_form(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *separator = luaL_optstring(L, 2, "\n");
  transfer *t = new_transfer(L);
  fields_add(L, &t->request, 1, separator);
  if (t->request.failed) return luaL_error(L, "not enough memory");
  lua_pushlstring(L, t->request.len ? t->request.data : "", t->request.len);
  return 1;
}

static transfer *transfer_check(lua_State *L) {
  return luaL_checkudata(L, 1, TRANSFER);
}

static void release_all(transfer *t) {
  buffer_free(&t->request);
  buffer_free(&t->excerpt);
  buffer_free(&t->kept);
  if (t->exchange) exchange_release(t->exchange);
  t->exchange = NULL;
}

static int transfer_gc(lua_State *L) {
  transfer *t = transfer_check(L);
  release_all(t);
  t->ended = true; /* when a state closes, later finalizers may still find it in flight */
  return 0;
}

static void build_request(lua_State *L, client *c, transfer *t, const char *action) {
  const char *separator = field_text(L, 2, "separator");
  form_begin(&t->request, "key", 3);
  form_text(&t->request, c->key.data ? c->key.data : "", c->key.len);
  form_begin(&t->request, "action", 6);
  form_text(&t->request, action, strlen(action));
  lua_getfield(L, 2, "fields");
  if (lua_istable(L, -1)) fields_add(L, &t->request, lua_gettop(L), separator ? separator : "\n");
  lua_pop(L, 1);
}

long transfer_milliseconds(lua_Number seconds) {
  if (!(seconds > 0.001)) return 1;
  return seconds < (lua_Number)INT_MAX / 1000 ? (long)ceil(seconds * 1000) : INT_MAX;
}

/* The list is in a userdata on the stack until the exchange has copied it. */
static const char *const *push_headers(lua_State *L, int options) {
  lua_getfield(L, options, "headers");
  size_t count = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
  int table = lua_gettop(L);
  const char **list = lua_newuserdata(L, (count + 1) * sizeof *list);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, table, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "smmpanel.core: a header must be a string");
    list[i] = lua_tostring(L, -1); /* the table keeps it alive */
    lua_pop(L, 1);
  }
  list[count] = NULL;
  return list;
}

/* Whether the call has header lines, which replace the client's. Does not throw. */
static bool own_headers(lua_State *L, int request) {
  lua_getfield(L, request, "headers");
  bool own = lua_istable(L, -1);
  lua_pop(L, 1);
  return own;
}

/* Converts a time of core.now to milliseconds. */
static int64_t moment(lua_Number seconds) {
  const lua_Number most = (lua_Number)(INT64_MAX / 4000);
  if (!(seconds > 0)) return 0;
  return (int64_t)((seconds < most ? seconds : most) * 1000);
}

static bool make_exchange(lua_State *L, client *c, transfer *t) {
  int top = lua_gettop(L);
  lua_getuservalue(L, 1);
  int options = lua_gettop(L);
  lua_getfield(L, 2, "write");
  exchange_options o = {.request = {.url = field_text(L, options, "url"),
                                    .user_agent = field_text(L, options, "user_agent"),
                                    .proxy = field_text(L, options, "proxy"),
                                    .ca_file = field_text(L, options, "ca_file"),
                                    .crl_file = field_text(L, options, "crl_file"),
                                    .headers = push_headers(L, own_headers(L, 2) ? 2 : options)},
                        .max_body = c->max_body,
                        .deadline = deadline_at(moment(field_number(L, 2, "deadline"))),
                        .connect_timeout_ms = transfer_milliseconds(c->connect_timeout),
                        .write = lua_toboolean(L, options + 1)};
  t->exchange = exchange_new(&o, &t->request);
  lua_settop(L, top);
  return t->exchange != NULL;
}

/* With the transfer on top; its uservalue keeps the schema alive. */
static void set_reading(lua_State *L, const client *c, transfer *t) {
  const char *decimals = field_text(L, 2, "decimals");
  lua_getfield(L, 2, "keep_body");
  t->kept_max = lua_isnumber(L, -1) ? (size_t)lua_tonumber(L, -1) : 0;
  lua_getfield(L, 2, "timings");
  t->wants_timings = lua_toboolean(L, -1);
  lua_pop(L, 2);
  lua_createtable(L, TRANSFER_SLOTS, 0);
  lua_getfield(L, 2, "schema");
  t->reading = (decoder_options){.schema = schema_optional(L, lua_gettop(L)),
                                 .decimal_text = decimals && strcmp(decimals, "string") == 0,
                                 .max_body = c->max_body};
  lua_rawseti(L, -2, TRANSFER_SCHEMA);
  lua_setuservalue(L, -2);
}

static void set_in_flight(lua_State *L, exchange *x, int transfer_index) {
  state_push_transfers(L);
  lua_pushlightuserdata(L, x);
  if (transfer_index)
    lua_pushvalue(L, transfer_index);
  else
    lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static int refuse(lua_State *L, const char *code, const char *text) {
  lua_pushnil(L);
  lua_pushstring(L, code);
  lua_pushstring(L, text);
  return 3;
}

int transfer_start(lua_State *L) {
  client *c = client_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  const char *why = NULL, *action = field_text(L, 2, "action");
  if (!action) return luaL_error(L, "smmpanel.core: action must be a string");
  engine *e = state_engine(L, &why);
  if (!e) return refuse(L, "memory", why);
  transfer *t = new_transfer(L);
  set_reading(L, c, t);
  build_request(L, c, t, action);
  if (!make_exchange(L, c, t)) return refuse(L, "memory", "out of memory");
  if (!c->open) return luaL_error(L, "the panel is closed"); /* a finalizer may have closed it meanwhile */
  set_in_flight(L, t->exchange, 3);
  t->started = engine_submit(e, t->exchange);
  if (t->started) return 1;
  set_in_flight(L, t->exchange, 0);
  return refuse(L, "busy", "too many requests in flight");
}

static int transfer_cancel(lua_State *L) {
  transfer *t = transfer_check(L);
  state *s = state_get(L);
  if (t->started && !t->ended && s->engine && engine_is_ours(s->engine))
    engine_cancel(s->engine, t->exchange);
  return 0;
}

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, lua_Number n) {
  lua_pushnumber(L, n);
  lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer n) {
  lua_pushinteger(L, n);
  lua_setfield(L, -2, name);
}

static void set_timings(lua_State *L, const exchange_outcome *o) {
  lua_createtable(L, 0, 5);
  set_number(L, "dns", o->dns);
  set_number(L, "connect", o->connect);
  set_number(L, "tls", o->tls);
  set_number(L, "first_byte", o->first_byte);
  set_number(L, "total", o->seconds);
  lua_setfield(L, -2, "timings");
  lua_pushboolean(L, o->reused);
  lua_setfield(L, -2, "reused");
}

/* The value is shown to people, so control characters and overlong values are refused. */
static bool is_cf_ray(const headers_kept *h) {
  if (h->name_len != 6 || memcmp(h->name, "cf-ray", 6) != 0 || h->value_len >= CF_RAY_MAX) return false;
  for (size_t i = 0; i < h->value_len; i++)
    if (h->value[i] <= ' ' || h->value[i] > '~') return false;
  return h->value_len > 0;
}

/* Cloudflare's id of the request, for which its support asks. */
static void set_cf_ray(lua_State *L, const exchange_outcome *o) {
  const char *at = o->headers, *end = at + o->headers_len;
  headers_kept h;
  while ((at = headers_next(at, end, &h))) {
    if (!is_cf_ray(&h)) continue;
    lua_pushlstring(L, h.value, h.value_len);
    lua_setfield(L, -2, "cf_ray");
  }
}

static void push_http(lua_State *L, const exchange_outcome *o) {
  set_text(L, "code", o->code);
  set_text(L, "text", o->text);
  set_integer(L, "http_status", (lua_Integer)o->http_status);
  set_number(L, "http_version", o->http_version / 10.0);
  set_integer(L, "bytes", (lua_Integer)o->bytes);
  set_number(L, "seconds", o->seconds);
  lua_pushboolean(L, o->sent);
  lua_setfield(L, -2, "sent");
  if (o->retry_after > 0) set_integer(L, "retry_after", (lua_Integer)o->retry_after);
  if (o->rate_reset > 0) set_number(L, "rate_reset", o->rate_reset);
  set_cf_ray(L, o);
}

/* Adds the headers that headers.h stores to the table on top, by name. Throws only when out of memory. */
static void set_headers(lua_State *L, const exchange_outcome *o) {
  const char *at = o->headers, *end = at + o->headers_len;
  headers_kept h;
  lua_newtable(L);
  while ((at = headers_next(at, end, &h))) {
    lua_pushlstring(L, h.name, h.name_len);
    lua_pushlstring(L, h.value, h.value_len);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "headers");
}

/* Whether the headers are needed: for the wire log, or to name the server that answered in place of the panel. */
static bool wants_headers(const transfer *t) {
  return t->kept_max || t->exchange->outcome.http_status / 100 != 2 || strcmp(t->json, "whole") != 0;
}

static int transfer_result(lua_State *L) {
  transfer *t = transfer_check(L);
  if (!t->ended || t->taken || !t->exchange) return 0;
  t->taken = true; /* a finalizer, which may run below, cannot take it too */
  const exchange_outcome *o = &t->exchange->outcome;
  lua_createtable(L, 0, 12);
  push_http(L, o);
  if (t->wants_timings) set_timings(L, o);
  if (wants_headers(t)) set_headers(L, o);
  set_text(L, "json", t->json);
  if (t->json_error) set_text(L, "json_error", t->json_error);
  if (strcmp(t->json, "whole") != 0) {
    lua_pushlstring(L, t->excerpt.len ? t->excerpt.data : "", t->excerpt.len);
    lua_setfield(L, -2, "excerpt");
  }
  if (t->kept.len) {
    lua_pushlstring(L, t->kept.data, t->kept.len);
    lua_setfield(L, -2, "body");
  }
  lua_getuservalue(L, 1);
  lua_rawgeti(L, -1, TRANSFER_VALUE);
  lua_setfield(L, -3, "value");
  lua_pop(L, 1);
  release_all(t);
  return 1;
}

static int transfer_has_ended(lua_State *L) {
  lua_pushboolean(L, transfer_check(L)->ended);
  return 1;
}

void transfer_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"cancel", transfer_cancel},
                                     {"result", transfer_result},
                                     {"has_ended", transfer_has_ended},
                                     {NULL, NULL}};
  compat_new_class(L, TRANSFER, methods, transfer_gc, NULL);
}
