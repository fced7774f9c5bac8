/* core.c - `smmpanel.core`, the binding: the one file that knows Lua, the engine and the decoder.
 *
 * What Lua may throw (out of memory, a wrong argument) can cross every function here, so none holds
 * anything that is not in a userdata already when it calls Lua. */
#include "append.h"
#include "compat.h"
#include "decoder.h"
#include "engine.h"
#include "form.h"
#include "smmpanel.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENT "smmpanel.client"
#define TRANSFER "smmpanel.transfer"
#define STATE "smmpanel.state"
#define SPARES "smmpanel.spares" /* the list of decoders that nobody uses at present */

enum {
  PIECE = 16 * 1024,
  STEP_BYTES = 16 * 1024,
  STEP_BYTES_MAX = 1 << 30,
  EXCHANGE_COST = 1024,
  EXCERPT = 120,
  SPARES_MAX = 8
};

/* ---- what one Lua state has: an engine and the transfers in flight ------------------------ */

typedef struct transfer transfer;
struct transfer {
  buffer request;     /* while it is being made; then the exchange's */
  exchange *exchange; /* until its end was told */
  decoder_options reading;
  decoder *decoder; /* while the body comes; kept alive by the transfer's uservalue: { decoder, value } */
  transfer *ended_next;
  exchange_outcome outcome;
  const char *json, *json_error;
  const char *outcome_code; /* where it was Lua's side that failed */
  bool ended, started;
  bool decoding; /* further up the stack: a finalizer that steps leaves it alone */
  char excerpt[EXCERPT];
  size_t excerpt_len;
  buffer kept; /* the body as it came, for the wire log: its first kept_max bytes */
  size_t kept_max;
};

/* Its uservalue is the table of transfers in flight, by exchange: that keeps them alive. */
typedef struct {
  engine *engine;
  transfer *ended; /* not yet told to Lua */
  int ended_count;
  bool closed; /* the Lua state is closing: what its last finalizers ask for begins no more */
} state;

static state *get_state(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, STATE);
  state *s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

static void push_transfers(lua_State *L) {
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

static void new_state(lua_State *L) {
  state *s = lua_newuserdata(L, sizeof *s);
  *s = (state){0};
  lua_newtable(L);
  lua_setuservalue(L, -2);
  lua_newtable(L);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, STATE);
  lua_newtable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, SPARES);
}

static void end_transfer(state *s, transfer *t) {
  t->ended = true;
  t->ended_next = s->ended;
  s->ended = t;
  s->ended_count++;
}

/* After a fork the thread and its connections are the parent's: what was in flight ends here, and
 * a new engine begins. */
static void leave_parents_engine(lua_State *L, state *s) {
  push_transfers(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    transfer *t = lua_touserdata(L, -1);
    if (t->ended) continue;
    t->outcome = (exchange_outcome){.code = "cancelled", .text = "the process was forked", .sent = true};
    end_transfer(s, t);
  }
  lua_pop(L, 1);
  s->engine = NULL;
}

static engine *get_engine(lua_State *L, const char **why) {
  state *s = get_state(L);
  if (s->engine && !engine_is_ours(s->engine)) leave_parents_engine(L, s);
  if (!s->engine && s->closed) *why = "the Lua state is closing";
  if (!s->engine && !s->closed) s->engine = engine_new(why);
  return s->engine;
}

static engine *need_engine(lua_State *L) {
  const char *why = NULL;
  engine *e = get_engine(L, &why);
  if (!e) luaL_error(L, "smmpanel: the network thread cannot be started: %s", why);
  return e;
}

/* ---- client: what the requests of one panel have in common -------------------------------- */

/* Its uservalue is the table of options; the key alone is held here, to be wiped. */
typedef struct {
  buffer key;
  size_t max_body;
  double connect_timeout;
  bool open;
} client;

static int client_close(lua_State *L) {
  client *c = luaL_checkudata(L, 1, CLIENT);
  c->open = false;
  buffer_free(&c->key);
  return 0;
}

static int client_tostring(lua_State *L) {
  client *c = luaL_checkudata(L, 1, CLIENT);
  lua_pushfstring(L, "smmpanel.client (%s)", c->open ? "open" : "closed");
  return 1;
}

static lua_Number number_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  if (lua_type(L, -1) != LUA_TNUMBER) luaL_error(L, "smmpanel.core: %s must be a number", name);
  lua_Number n = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return n;
}

/* The text stays alive as long as the table it is a field of. */
static const char *text_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "smmpanel.core: %s must be a string", name);
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

static void copy_options(lua_State *L) {
  static const char *const names[] = {"url", "user_agent", "headers", "proxy", "ca_file", "crl_file"};
  lua_newtable(L);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    lua_getfield(L, 1, names[i]);
    lua_setfield(L, -2, names[i]);
  }
  lua_setuservalue(L, -2);
}

static int core_client(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  client *c = lua_newuserdata(L, sizeof *c);
  *c = (client){0};
  luaL_setmetatable(L, CLIENT);
  c->max_body = (size_t)number_field(L, 1, "max_body");
  c->connect_timeout = number_field(L, 1, "connect_timeout");
  copy_options(L);
  lua_getfield(L, 1, "key");
  size_t len;
  const char *key = luaL_checklstring(L, -1, &len);
  buffer_add(&c->key, key, len);
  lua_pop(L, 1);
  if (c->key.failed) return luaL_error(L, "not enough memory");
  c->open = true;
  return 1;
}

/* ---- a request's form --------------------------------------------------------------------- */

static void add_scalar(lua_State *L, buffer *b, int value) {
  size_t len;
  switch (lua_type(L, value)) {
    case LUA_TBOOLEAN: form_integer(b, lua_toboolean(L, value)); return;
    case LUA_TNUMBER:
#if LUA_VERSION_NUM >= 503
      if (lua_isinteger(L, value))
        form_integer(b, lua_tointeger(L, value));
      else
#endif
        form_number(b, lua_tonumber(L, value));
      return;
    case LUA_TSTRING: {
      const char *text = lua_tolstring(L, value, &len);
      form_text(b, text, len);
      return;
    }
    default: luaL_error(L, "smmpanel.core: a %s cannot be sent", luaL_typename(L, value));
  }
}

static void add_list(lua_State *L, buffer *b, int list, const char *separator) {
  size_t count = lua_rawlen(L, list);
  for (size_t i = 1; i <= count; i++) {
    if (i > 1) form_text(b, separator, strlen(separator));
    lua_rawgeti(L, list, (int)i);
    add_scalar(L, b, lua_gettop(L));
    lua_pop(L, 1);
  }
}

static void add_field(lua_State *L, buffer *b, int name, int value, const char *separator) {
  size_t len;
  const char *text = luaL_checklstring(L, name, &len);
  if (!form_name_ok(text, len))
    luaL_error(L, "a field's name must have no control character, and not be empty");
  form_begin(b, text, len);
  if (lua_istable(L, value))
    add_list(L, b, value, separator);
  else
    add_scalar(L, b, value);
}

/* fields: { name, value, name, value, ... } */
static void add_fields(lua_State *L, buffer *b, int fields, const char *separator) {
  size_t count = lua_rawlen(L, fields);
  for (size_t i = 1; i + 1 <= count; i += 2) {
    lua_rawgeti(L, fields, (int)i);
    lua_rawgeti(L, fields, (int)i + 1);
    add_field(L, b, lua_gettop(L) - 1, lua_gettop(L), separator);
    lua_pop(L, 2);
  }
}

/* The buffer is a userdata with the transfer's metatable, so that whatever throws frees it. */
static transfer *new_transfer(lua_State *L) {
  transfer *t = lua_newuserdata(L, sizeof *t);
  *t = (transfer){.outcome = {.code = ""}, .json = "empty"};
  luaL_setmetatable(L, TRANSFER);
  return t;
}

static int core_form(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *separator = luaL_optstring(L, 2, "\n");
  transfer *t = new_transfer(L);
  add_fields(L, &t->request, 1, separator);
  if (t->request.failed) return luaL_error(L, "not enough memory");
  lua_pushlstring(L, t->request.len ? t->request.data : "", t->request.len);
  return 1;
}

/* ---- transfer: one request and its answer ------------------------------------------------- */

static transfer *check_transfer(lua_State *L) {
  return luaL_checkudata(L, 1, TRANSFER);
}

static int transfer_gc(lua_State *L) {
  transfer *t = check_transfer(L);
  buffer_free(&t->request);
  buffer_free(&t->kept);
  if (t->exchange) exchange_release(t->exchange);
  t->exchange = NULL;
  t->ended = true; /* where a state closes, finalizers that come later may still find it in flight */
  return 0;
}

static void build_request(lua_State *L, client *c, transfer *t, const char *action) {
  const char *separator = text_field(L, 2, "separator");
  form_begin(&t->request, "key", 3);
  form_text(&t->request, c->key.data ? c->key.data : "", c->key.len);
  form_begin(&t->request, "action", 6);
  form_text(&t->request, action, strlen(action));
  lua_getfield(L, 2, "fields");
  if (lua_istable(L, -1)) add_fields(L, &t->request, lua_gettop(L), separator ? separator : "\n");
  lua_pop(L, 1);
}

static long milliseconds(lua_Number seconds) {
  if (!(seconds > 0.001)) return 1;
  return seconds < (lua_Number)INT_MAX / 1000 ? (long)ceil(seconds * 1000) : INT_MAX;
}

/* The list lives in a userdata on the stack until libcurl has its copy. */
static const char *const *push_headers(lua_State *L, int options) {
  lua_getfield(L, options, "headers");
  size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
  int table = lua_gettop(L);
  const char **list = lua_newuserdata(L, (count + 1) * sizeof *list);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, table, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "smmpanel.core: a header must be a string");
    list[i] = lua_tostring(L, -1); /* lives in the table */
    lua_pop(L, 1);
  }
  list[count] = NULL;
  return list;
}

/* Whether the call has header lines of its own, instead of the client's. Does not throw. */
static bool own_headers(lua_State *L, int request) {
  lua_getfield(L, request, "headers");
  bool own = lua_istable(L, -1);
  lua_pop(L, 1);
  return own;
}

static exchange *make_exchange(lua_State *L, client *c, transfer *t) {
  int top = lua_gettop(L);
  lua_getuservalue(L, 1);
  int options = lua_gettop(L);
  lua_getfield(L, 2, "write");
  exchange_options o = {.url = text_field(L, options, "url"),
                        .user_agent = text_field(L, options, "user_agent"),
                        .proxy = text_field(L, options, "proxy"),
                        .ca_file = text_field(L, options, "ca_file"),
                        .crl_file = text_field(L, options, "crl_file"),
                        .headers = push_headers(L, own_headers(L, 2) ? 2 : options),
                        .max_body = c->max_body,
                        .timeout_ms = milliseconds(number_field(L, 2, "timeout")),
                        .connect_timeout_ms = milliseconds(c->connect_timeout),
                        .write = lua_toboolean(L, options + 1)};
  exchange *x = exchange_new(&o, &t->request);
  lua_settop(L, top);
  return x;
}

static void set_reading(lua_State *L, const client *c, transfer *t, const char *action) {
  const char *decimals = text_field(L, 2, "decimals");
  t->reading = (decoder_options){.action = decoder_action(action),
                                 .decimal_text = decimals && strcmp(decimals, "string") == 0,
                                 .max_body = c->max_body};
  lua_getfield(L, 2, "keep_body");
  t->kept_max = lua_isnumber(L, -1) ? (size_t)lua_tonumber(L, -1) : 0;
  lua_pop(L, 1);
  lua_createtable(L, 2, 0);
  lua_setuservalue(L, -2);
}

static void set_in_flight(lua_State *L, exchange *x, int transfer_index) {
  push_transfers(L);
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

static int core_start(lua_State *L) {
  client *c = luaL_checkudata(L, 1, CLIENT);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  const char *why = NULL, *action = text_field(L, 2, "action");
  if (!action) return luaL_error(L, "smmpanel.core: action must be a string");
  engine *e = get_engine(L, &why);
  if (!e) return refuse(L, "memory", why);
  transfer *t = new_transfer(L);
  set_reading(L, c, t, action);
  build_request(L, c, t, action);
  t->exchange = make_exchange(L, c, t);
  if (!t->exchange) return refuse(L, "memory", "out of memory");
  if (!c->open) return luaL_error(L, "the panel is closed"); /* a finalizer may have closed it just now */
  set_in_flight(L, t->exchange, 3);
  t->started = engine_submit(e, t->exchange);
  if (t->started) return 1;
  set_in_flight(L, t->exchange, 0);
  return refuse(L, "busy", "too many requests in flight");
}

static int transfer_cancel(lua_State *L) {
  transfer *t = check_transfer(L);
  state *s = get_state(L);
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
}

static int transfer_result(lua_State *L) {
  transfer *t = check_transfer(L);
  if (!t->ended) return 0;
  lua_createtable(L, 0, 12);
  push_http(L, &t->outcome);
  set_text(L, "json", t->json);
  if (t->json_error) set_text(L, "json_error", t->json_error);
  lua_pushlstring(L, t->excerpt, t->excerpt_len);
  lua_setfield(L, -2, "excerpt");
  if (t->kept.len) {
    lua_pushlstring(L, t->kept.data, t->kept.len);
    lua_setfield(L, -2, "body");
  }
  lua_getuservalue(L, 1);
  lua_rawgeti(L, -1, 2);
  lua_setfield(L, -3, "value");
  lua_pop(L, 1);
  return 1;
}

/* ---- step: bodies into decoders, ended transfers to Lua ----------------------------------- */

static const char no_memory[] = "out of memory";

static void fail_decoding(transfer *t, const char *verdict, const char *why) {
  t->json = verdict;
  t->json_error = why;
  if (strcmp(verdict, "too_large") == 0) t->outcome_code = verdict;
  if (strcmp(why, no_memory) == 0) t->outcome_code = "memory"; /* not the panel's fault */
  if (t->decoder) decoder_release(t->decoder);
}

/* Where there is no memory for the wire log's copy, the log has a shorter body. */
static void keep_body(transfer *t, const char *data, size_t len) {
  size_t room = t->kept_max - t->kept.len;
  buffer_add(&t->kept, data, len < room ? len : room);
}

static void keep_excerpt(transfer *t, const char *data, size_t len) {
  size_t room = EXCERPT - t->excerpt_len, part = len < room ? len : room;
  memcpy(t->excerpt + t->excerpt_len, data, part);
  t->excerpt_len += part;
}

/* What follows runs under lua_pcall: (transfer, piece as light userdata, its length). */

/* A decoder is made of 15 kB and an answer often of 40 bytes, so one serves many, one after the other. */
static decoder *push_spare(lua_State *L, const transfer *t) {
  lua_getfield(L, LUA_REGISTRYINDEX, SPARES);
  int last = (int)lua_rawlen(L, -1);
  lua_rawgeti(L, -1, last);
  decoder *d = lua_touserdata(L, -1);
  if (d) {
    decoder_reset(L, d, &t->reading);
    lua_pushnil(L);
    lua_rawseti(L, -3, last);
    lua_remove(L, -2);
  } else {
    lua_pop(L, 2);
  }
  return d;
}

static void attach_decoder(lua_State *L, transfer *t) {
  lua_getuservalue(L, 1);
  decoder *d = push_spare(L, t);
  if (!d) d = decoder_push(L, &t->reading);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 1);
  t->decoder = d;
}

static void detach_decoder(lua_State *L, transfer *t) {
  decoder_release(t->decoder); /* nothing of the answer outlives it in a spare decoder */
  t->decoder = NULL;
  lua_getfield(L, LUA_REGISTRYINDEX, SPARES);
  int count = (int)lua_rawlen(L, -1);
  lua_getuservalue(L, 1);
  lua_rawgeti(L, -1, 1);
  if (count < SPARES_MAX)
    lua_rawseti(L, -3, count + 1);
  else
    lua_pop(L, 1);
  lua_pushnil(L);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 2);
}

static int feed_piece(lua_State *L) {
  transfer *t = lua_touserdata(L, 1);
  size_t len = (size_t)lua_tonumber(L, 3);
  if (!t->decoder) attach_decoder(L, t);
  if (!decoder_feed(L, t->decoder, lua_touserdata(L, 2), len))
    fail_decoding(t, decoder_verdict(t->decoder), decoder_error(t->decoder));
  return 0;
}

static int finish_decoding(lua_State *L) {
  transfer *t = lua_touserdata(L, 1);
  bool whole = decoder_finish(L, t->decoder);
  t->json = decoder_verdict(t->decoder);
  if (!whole && strcmp(t->json, "empty") != 0) fail_decoding(t, t->json, decoder_error(t->decoder));
  if (whole) {
    lua_getuservalue(L, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 2);
  }
  detach_decoder(L, t);
  return 0;
}

/* Only running out of memory makes these throw; the functions were pushed before anything was
 * taken from a queue, so calling them allocates nothing outside the lua_pcall. */
static void decode(lua_State *L, int function, int self, void *piece, size_t len) {
  transfer *t = lua_touserdata(L, self);
  lua_pushvalue(L, function);
  lua_pushvalue(L, self);
  lua_pushlightuserdata(L, piece);
  lua_pushnumber(L, (lua_Number)len);
  t->decoding = true;
  bool threw = lua_pcall(L, 3, 0, 0) != 0;
  t->decoding = false;
  if (!threw) return;
  lua_pop(L, 1);
  fail_decoding(t, "broken", no_memory);
}

typedef struct {
  state *state;
  int transfers, feed, finish; /* stack slots */
} stepping;

/* It was the document that ended the exchange, not the network. */
static void blame_document(transfer *t) {
  t->outcome.code = t->outcome_code ? t->outcome_code : "";
  snprintf(t->outcome.text, sizeof t->outcome.text, "%s", t->json_error);
}

/* An answer that was cut may hold a whole document all the same: an order's id must not be lost with the rest. */
static void conclude(lua_State *L, const stepping *g, int self) {
  transfer *t = lua_touserdata(L, self);
  bool answered = !*t->outcome.code;
  if (t->json_error)
    blame_document(t);
  else if (t->decoder)
    decode(L, g->finish, self, NULL, 0);
  if (t->json_error && answered) blame_document(t);
  end_transfer(g->state, t);
}

/* One piece of one body. What is broken already is not downloaded any further. News of an exchange
 * may come once more after its end was seen. */
static size_t advance(lua_State *L, const stepping *g, int self) {
  char piece[PIECE];
  engine *e = g->state->engine;
  transfer *t = lua_touserdata(L, self);
  if (t->ended || t->decoding) return 0;
  size_t len = engine_read_body(e, t->exchange, piece, sizeof piece);
  bool whole = !t->json_error;
  keep_excerpt(t, piece, len);
  if (t->kept_max) keep_body(t, piece, len);
  if (len && whole) {
    decode(L, g->feed, self, piece, len);
    engine_read_body(e, t->exchange, piece,
                     0); /* a finalizer that stepped meanwhile may have taken its news */
  }
  if (engine_is_done(e, t->exchange, &t->outcome))
    conclude(L, g, self);
  else if (whole && t->json_error && t->kept.len >= t->kept_max)
    engine_cancel(e, t->exchange);
  return len;
}

static void take_news(lua_State *L, const stepping *g, size_t budget) {
  exchange *x;
  for (size_t done = 0; done < budget && (x = engine_ready(g->state->engine)); done += EXCHANGE_COST) {
    lua_pushlightuserdata(L, x);
    lua_rawget(L, g->transfers);
    exchange_release(x); /* the transfer has a reference of its own */
    if (lua_isuserdata(L, -1)) done += advance(L, g, lua_gettop(L));
    lua_pop(L, 1);
  }
}

/* The list on top is told of one that has ended. Where the state is closing it may have been collected. */
static void tell_ended(lua_State *L, transfer *t, int transfers) {
  if (!t->exchange) return;
  lua_pushlightuserdata(L, t->exchange);
  lua_rawget(L, transfers);
  lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
  lua_pushlightuserdata(L, t->exchange);
  lua_pushnil(L);
  lua_rawset(L, transfers);
  exchange_release(t->exchange);
  t->exchange = NULL;
}

/* Nothing is forgotten if the list cannot be made: the next step tells them, and the descriptor stays
 * readable until then. */
static int push_ended(lua_State *L, state *s, int transfers) {
  if (!s->ended) return 0;
  lua_createtable(L, s->ended_count, 0);
  while (s->ended) {
    transfer *t = s->ended;
    s->ended = t->ended_next;
    s->ended_count--;
    tell_ended(L, t, transfers);
  }
  return 1;
}

static int core_step(lua_State *L) {
  lua_Number budget = luaL_optnumber(L, 1, STEP_BYTES);
  const char *why;
  stepping g = {.state = get_state(L), .transfers = 2, .feed = 3, .finish = 4};
  lua_settop(L, 1);
  luaL_checkstack(L, 16, NULL);
  push_transfers(L);
  lua_pushcfunction(L, feed_piece);
  lua_pushcfunction(L, finish_decoding);
  if (g.state->engine && get_engine(L, &why)) {
    take_news(L, &g, budget > 0 ? (size_t)fmin(budget, STEP_BYTES_MAX) : 0);
  }
  int count = push_ended(L, g.state, g.transfers);
  if (g.state->engine) engine_acknowledge(g.state->engine);
  return count;
}

/* ---- the descriptor, waiting, the clock --------------------------------------------------- */

static int core_descriptor(lua_State *L) {
  lua_pushinteger(L, engine_descriptor(need_engine(L)));
  return 1;
}

static int core_wait(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct pollfd p = {.fd = engine_descriptor(need_engine(L)), .events = POLLIN};
  /* what a fork has ended is known without the descriptor */
  long ms = seconds > 0 && !get_state(L)->ended ? milliseconds(seconds) : 0;
  lua_pushboolean(L, poll(&p, 1, (int)ms) > 0);
  return 1;
}

static int core_in_flight(lua_State *L) {
  state *s = get_state(L);
  lua_pushinteger(L, s->engine && engine_is_ours(s->engine) ? engine_in_flight(s->engine) : 0);
  return 1;
}

static int core_listen(lua_State *L) {
  const char *path = engine_listen(need_engine(L));
  if (!path) return refuse(L, "listen", strerror(errno));
  lua_pushstring(L, path);
  return 1;
}

static int core_accept(lua_State *L) {
  lua_pushboolean(L, engine_accept(need_engine(L)));
  return 1;
}

/* (path, text) -> true, or nil and what failed. Blocks until it is written. */
static int core_append(lua_State *L) {
  size_t len;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &len);
  int why = append_to_file(path, text, len);
  if (why) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(why));
    return 2;
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int core_now(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
  return 1;
}

/* For back-off, and for a ledger to know its own claims by: two must never get the same one for want of chance. */
static int core_random(lua_State *L) {
  uint32_t bits = 0;
  if (getentropy(&bits, sizeof bits)) return luaL_error(L, "smmpanel: the system gives no random numbers");
  lua_pushnumber(L, bits / 4294967296.0);
  return 1;
}

static int core_decoder(lua_State *L) {
  const char *action = luaL_checkstring(L, 1), *decimals = luaL_optstring(L, 2, "number");
  decoder_push(L, &(decoder_options){.action = decoder_action(action),
                                     .decimal_text = strcmp(decimals, "string") == 0});
  return 1;
}

/* Some programs' coroutine tables lack isyieldable (nginx), and LuaJIT's own may be older than 2.1. */
static int core_is_yieldable(lua_State *L) {
  lua_pushboolean(L, lua_isyieldable(L));
  return 1;
}

/* ---- the module --------------------------------------------------------------------------- */

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc,
                      lua_CFunction tostring) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  compat_register(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  if (tostring) {
    lua_pushcfunction(L, tostring);
    lua_setfield(L, -2, "__tostring");
  }
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

static const luaL_Reg client_methods[] = {{"close", client_close}, {NULL, NULL}};
static const luaL_Reg transfer_methods[] = {
    {"cancel", transfer_cancel}, {"result", transfer_result}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"client", core_client},   {"start", core_start},
                                     {"step", core_step},       {"descriptor", core_descriptor},
                                     {"wait", core_wait},       {"in_flight", core_in_flight},
                                     {"listen", core_listen},   {"accept", core_accept},
                                     {"append", core_append},   {"now", core_now},
                                     {"decoder", core_decoder}, {"form", core_form},
                                     {"random", core_random},   {NULL, NULL}};

int luaopen_smmpanel_core(lua_State *L);
int luaopen_smmpanel_core(lua_State *L) {
  new_class(L, CLIENT, client_methods, client_close, client_tostring);
  new_class(L, TRANSFER, transfer_methods, transfer_gc, NULL);
  decoder_open(L);
  lua_getfield(L, LUA_REGISTRYINDEX, STATE);
  if (lua_isnil(L, -1)) new_state(L);
  luaL_newlib(L, functions);
  lua_pushliteral(L, SMMPANEL_VERSION);
  lua_setfield(L, -2, "version");
  lua_pushstring(L, curl_version());
  lua_setfield(L, -2, "curl");
  if (COMPAT_HAS_ISYIELDABLE) {
    lua_pushcfunction(L, core_is_yieldable);
    lua_setfield(L, -2, "is_yieldable");
  }
  return 1;
}
