/* step.c - see step.h.
 *
 * Decoding runs under lua_pcall, so that running out of memory for one response does not lose another one. */
#include "step.h"
#include "compat.h"
#include "state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPARES "smmpanel.spares" /* the list of unused decoders */

enum {
  PIECE = 8 * 1024,
  STEP_BYTES = 16 * 1024,
  STEP_BYTES_MAX = 1 << 30,
  EXCHANGE_COST = 1024, /* bytes of the budget that an exchange with news uses */
  SPARES_MAX = 8
};

static const char no_memory[] = "out of memory";

static void fail_decoding(transfer *t, const char *verdict, const char *why) {
  t->json = verdict;
  t->json_error = why;
  if (strcmp(verdict, "too_large") == 0) t->outcome_code = verdict;
  if (strcmp(why, no_memory) == 0) t->outcome_code = "memory"; /* not the panel's fault */
  t->broke = !t->decoder || !decoder_reached_end(t->decoder);
  if (t->decoder) decoder_release(t->decoder);
}

/* Copies the beginning of a body. If memory is short, the copy is shorter. */
static void keep_up_to(buffer *b, size_t most, const char *data, size_t len) {
  size_t room = most - b->len;
  if (room) buffer_add(b, data, len < room ? len : room);
}

/* For a body that cannot be decoded: whether more of the excerpt is needed. */
static bool wants_more(const transfer *t) {
  return t->kept.len < t->kept_max && !t->kept.failed;
}

/* Bytes of a body for a function that runs under lua_pcall, and how far it came. */
typedef struct {
  char *data;
  size_t len;
  bool begun, done;
} piece;

/* The following functions run under lua_pcall: (transfer, piece as light userdata). */

/* Decoders are reused, because one takes 15 kB and a response often has 40 bytes. */
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
  lua_rawseti(L, -2, TRANSFER_DECODER);
  lua_pop(L, 1);
  t->decoder = d;
}

static void detach_decoder(lua_State *L, transfer *t) {
  decoder_release(t->decoder); /* a spare decoder must keep no data of the response */
  t->decoder = NULL;
  lua_getfield(L, LUA_REGISTRYINDEX, SPARES);
  int count = (int)lua_rawlen(L, -1);
  lua_getuservalue(L, 1);
  lua_rawgeti(L, -1, TRANSFER_DECODER);
  if (count < SPARES_MAX)
    lua_rawseti(L, -3, count + 1);
  else
    lua_pop(L, 1);
  lua_pushnil(L);
  lua_rawseti(L, -2, TRANSFER_DECODER);
  lua_pop(L, 2);
}

static int feed_piece(lua_State *L) {
  transfer *t = lua_touserdata(L, 1);
  piece *p = lua_touserdata(L, 2);
  p->begun = true;
  if (!t->decoder) attach_decoder(L, t);
  if (!decoder_feed(L, t->decoder, p->data, p->len))
    fail_decoding(t, decoder_verdict(t->decoder), decoder_error(t->decoder));
  p->done = true;
  return 0;
}

/* The piece is the last one, and may be empty. */
static int finish_decoding(lua_State *L) {
  transfer *t = lua_touserdata(L, 1);
  piece *p = lua_touserdata(L, 2);
  p->begun = true;
  if (!t->decoder) attach_decoder(L, t);
  bool whole = decoder_finish(L, t->decoder, p->data, p->len);
  t->json = decoder_verdict(t->decoder);
  if (!whole && strcmp(t->json, "empty") != 0) fail_decoding(t, t->json, decoder_error(t->decoder));
  if (whole) {
    lua_getuservalue(L, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, TRANSFER_VALUE);
  }
  detach_decoder(L, t);
  p->done = true;
  return 0;
}

typedef struct {
  state *state;
  int transfers, feed, finish, thrown; /* stack slots */
} stepping;

/* On an error its value is on the stack. */
static int attempt(lua_State *L, int function, int self, piece *p) {
  lua_pushvalue(L, function);
  lua_pushvalue(L, self);
  lua_pushlightuserdata(L, p);
  return lua_pcall(L, 2, 0, 0);
}

/* The functions themselves throw only when out of memory. They were pushed before anything was removed from a queue,
 * so calling them allocates nothing outside of lua_pcall. But Ctrl-C makes the interpreter set a hook, which throws when
 * a function is entered or left. Then the piece is decoded nevertheless, and the step throws when it has ended. */
static void decode(lua_State *L, const stepping *g, int function, int self, char *data, size_t len) {
  transfer *t = lua_touserdata(L, self);
  piece p = {.data = data, .len = len};
  t->decoding = true;
  int status = attempt(L, function, self, &p);
  if (status == LUA_ERRRUN && !p.begun) {
    lua_replace(L, g->thrown);
    status = attempt(L, function, self, &p);
  }
  t->decoding = false;
  if (status == 0) return;
  if (status == LUA_ERRRUN && p.done) {
    lua_replace(L, g->thrown);
    return;
  }
  lua_pop(L, 1);
  fail_decoding(t, "broken", no_memory);
}

static void blame_document(transfer *t) {
  exchange_outcome *o = &t->exchange->outcome;
  o->code = t->outcome_code ? t->outcome_code : "";
  snprintf(o->text, sizeof o->text, "%s", t->json_error);
}

/* A truncated response may still contain a complete document, and an order's id must not be lost. If it contains none,
 * the network's failure is reported, unless the document was invalid before the cut. */
static void conclude(lua_State *L, const stepping *g, int self, char *data, size_t len) {
  transfer *t = lua_touserdata(L, self);
  bool lost = *t->exchange->outcome.code != '\0';
  if (!t->json_error && (len || t->decoder)) decode(L, g, g->finish, self, data, len);
  if (t->json_error && (!lost || t->broke)) blame_document(t);
  state_end(g->state, t);
}

/* Decodes a piece that is not the last one. Returns whether the exchange has ended meanwhile. */
static bool decode_piece(lua_State *L, const stepping *g, int self, char *data, size_t len) {
  transfer *t = lua_touserdata(L, self);
  decode(L, g, g->feed, self, data, len);
  /* a step in a finalizer may have handled its news meanwhile */
  engine_read_body(g->state->engine, t->exchange, data, 0);
  return engine_is_done(g->state->engine, t->exchange);
}

/* Handles one piece of one body. Cancels the download of a body that cannot be decoded. An exchange may be reported
 * again after its end was handled. */
static size_t advance(lua_State *L, const stepping *g, int self) {
  char data[PIECE];
  engine *e = g->state->engine;
  transfer *t = lua_touserdata(L, self);
  if (t->ended || t->decoding) return 0;
  size_t len = engine_read_body(e, t->exchange, data, sizeof data);
  keep_up_to(&t->excerpt, TRANSFER_EXCERPT, data, len);
  keep_up_to(&t->kept, t->kept_max, data, len);
  if (engine_is_done(e, t->exchange))
    conclude(L, g, self, data, len);
  else if (len && !t->json_error && decode_piece(L, g, self, data, len))
    conclude(L, g, self, data, 0);
  else if (t->json_error && !wants_more(t))
    engine_cancel(e, t->exchange);
  return len;
}

static void take_news(lua_State *L, const stepping *g, size_t budget) {
  exchange *x;
  for (size_t done = 0; done < budget && (x = engine_ready(g->state->engine)); done += EXCHANGE_COST) {
    lua_pushlightuserdata(L, x);
    lua_rawget(L, g->transfers);
    exchange_release(x); /* the transfer holds another reference */
    if (lua_isuserdata(L, -1)) done += advance(L, g, lua_gettop(L));
    lua_pop(L, 1);
  }
}

/* Appends an ended transfer to the list on top. While the state is closing it may have been collected already. */
static void tell_ended(lua_State *L, transfer *t, int transfers) {
  if (!t->exchange) return;
  lua_pushlightuserdata(L, t->exchange);
  lua_rawget(L, transfers);
  lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
  lua_pushlightuserdata(L, t->exchange);
  lua_pushnil(L);
  lua_rawset(L, transfers);
}

/* If the list cannot be made, nothing is lost: the next step returns the transfers, and the descriptor stays readable
 * until then. */
static int push_ended(lua_State *L, state *s, int transfers) {
  if (!s->ended) return 0;
  lua_createtable(L, s->ended_count, 0);
  while (s->ended) {
    transfer *t = s->ended;
    tell_ended(L, t, transfers); /* first: if memory is short it throws, and t must stay listed */
    s->ended = t->ended_next;
    s->ended_count--;
  }
  return 1;
}

int step_run(lua_State *L) {
  lua_Number budget = luaL_optnumber(L, 1, STEP_BYTES);
  const char *why;
  stepping g = {.state = state_get(L), .transfers = 2, .feed = 3, .finish = 4, .thrown = 5};
  lua_settop(L, 1);
  luaL_checkstack(L, 16, NULL);
  state_push_transfers(L);
  lua_pushcfunction(L, feed_piece);
  lua_pushcfunction(L, finish_decoding);
  lua_pushnil(L);
  if (g.state->engine && state_engine(L, &why)) {
    take_news(L, &g, budget > 0 ? (size_t)fmin(budget, STEP_BYTES_MAX) : 0);
  }
  int count = push_ended(L, g.state, g.transfers);
  if (g.state->engine) engine_acknowledge(g.state->engine);
  if (lua_isnil(L, g.thrown)) return count;
  if (count == 0) lua_pushnil(L);
  lua_pushvalue(L, g.thrown);
  return 2;
}

void step_open(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, SPARES);
  if (lua_isnil(L, -1)) {
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, SPARES);
  }
  lua_pop(L, 1);
}
