/* decoder.c - JSON events to Lua values, typed by the action asked. Knows no network.
 *
 * What is half built lives between two pieces on the stack of a Lua thread of the decoder's own. For the
 * time of a piece it is moved to the caller's stack, because what throws there is caught where the
 * caller expects it; on a thread that runs nothing it would end a 5.1 program. No memory is held
 * across a Lua call but what the userdata owns, so a throw loses nothing; `error` is set before the first
 * call that may throw and cleared after the last, so the decoder is broken then, and says so.
 *
 * The rows of a list are alike. At each of the first levels the decoder remembers, for each position in an
 * object, the key last seen there and the text last seen under it: Lua strings on the stack below what is
 * half built. Where the next row has the same, they are pushed without making or looking up a string. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "decoder.h"
#include "json.h"

#define DECODER "smmpanel.decoder"

enum type { AS_IS, ID, MONEY, COUNT, FLAG, TYPES };

/* PROTOCOL: how the fields of each action's answer read, at any depth. The others stay as JSON has them. */
static const struct action {
  const char *name;
  const char *fields[TYPES][10];
} actions[] = {
    {"services",
     {[ID] = {"service", "id"},
      [MONEY] = {"rate"},
      [COUNT] = {"min", "max"},
      [FLAG] = {"refill", "cancel", "dripfeed", "drip_feed"}}},
    {"add",
     {[ID] = {"order", "order_id", "id", "service"},
      [MONEY] = {"charge", "balance", "remaining_balance"},
      [COUNT] = {"start_count", "remains", "quantity"}}},
    {"status",
     {[ID] = {"order", "orders", "id", "service"},
      [MONEY] = {"charge"},
      [COUNT] = {"start_count", "remains", "quantity", "posts", "runs"}}},
    {"refill", {[ID] = {"order", "refill"}}},
    {"refill_status", {[ID] = {"order", "refill"}}},
    {"cancel", {[ID] = {"order", "cancel"}}},
    {"balance", {[MONEY] = {"balance"}}},
    {NULL, {{NULL}}} /* any other */
};

enum { LEVELS = 4, POSITIONS = 16 };       /* what is remembered of: */
enum { KEY, GAP, TEXT, WRITTEN, STRINGS }; /* Lua strings of each field */
enum { REMEMBERED = LEVELS * POSITIONS * STRINGS };

/* A field as the object before had it. The texts belong to the Lua strings. */
typedef struct {
  const char *key, *text;
  size_t key_len, text_len;
  json_field written; /* how it was written; the string only once it was repeated */
  enum type type;
} field;

typedef struct {
  int size; /* elements or fields so far */
  int keys; /* of an object, that DECODER_KEYS_MAX counts */
  bool object;
  unsigned char type;      /* of the present field, or of an array's elements */
  unsigned char next, end; /* where in `fields` the next key is looked for */
} container;

struct decoder {
  json reader;
  lua_State *thread;
  int base; /* the caller's stack top: what is ours lies above */
  decoder_options options;
  const char *error, *verdict;
  size_t values_left;                       /* until the answer holds too many */
  container *top;                           /* what is open, */
  container containers[JSON_DEPTH_MAX + 1]; /* in the document */
  field *current;                           /* the present one, or NULL */
  field fields[LEVELS * POSITIONS];
  int sizes[LEVELS]; /* of the last object: the next one is made as large */
};

/* ---- decimals ----------------------------------------------------------------------------- */

/* digits * 10^exponent, where up to 19 digits are enough to say it. */
typedef struct {
  uint64_t digits;
  int exponent;
  bool negative;
  bool truncated; /* more digits than fit */
  bool integer;   /* written without fraction and exponent */
} decimal;

static locale_t c_locale;

static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool digit(char c) {
  return c >= '0' && c <= '9';
}

static const char *read_digits(decimal *d, const char *p, const char *end, bool fraction) {
  const char *start = p;
  uint64_t n = d->digits;
  for (; p < end && digit(*p) && n < UINT64_C(1000000000000000000); p++) n = n * 10 + (uint64_t)(*p - '0');
  d->digits = n;
  if (fraction) d->exponent -= (int)(p - start);
  for (; p < end && digit(*p); p++) {
    if (*p != '0') d->truncated = true;
    if (!fraction) d->exponent++;
  }
  return p;
}

static const char *read_exponent(decimal *d, const char *p, const char *end) {
  bool negative = p < end && *p == '-';
  int n = 0;
  if (p < end && (*p == '-' || *p == '+')) p++;
  if (p == end) return NULL;
  for (; p < end && digit(*p); p++)
    if (n < 100000) n = n * 10 + (*p - '0');
  d->exponent += negative ? -n : n;
  return p;
}

/* The grammar of JSON, but for leading zeros and ".5", which panels write and which say the same. */
static bool read_decimal(decimal *d, const char *p, size_t len) {
  const char *end = p + len, *start;
  *d = (decimal){.integer = true};
  d->negative = p < end && *p == '-';
  start = p += d->negative;
  p = read_digits(d, p, end, false);
  if (p == start && (p == end || *p != '.')) return false;
  if (p < end && *p == '.') {
    d->integer = false;
    start = p + 1;
    p = read_digits(d, start, end, true);
    if (p == start) return false;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    d->integer = false;
    p = read_exponent(d, p + 1, end);
  }
  return p == end;
}

static bool fits(bool negative, uint64_t magnitude) {
  return magnitude <= (negative ? 0 - (uint64_t)COMPAT_INTEGER_MIN : (uint64_t)COMPAT_INTEGER_MAX);
}

static void push_integer(lua_State *L, bool negative, uint64_t magnitude) {
  int64_t n = (int64_t)(negative ? 0 - magnitude : magnitude);
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, n);
#else
  lua_pushnumber(L, (lua_Number)n); /* its own integers have 32 bits on some machines */
#endif
}

/* The magnitude of a decimal that is an integer, however it is written ("100.0", 1e3). */
static bool integral(const decimal *d, uint64_t *magnitude) {
  uint64_t n = d->digits;
  int exponent = d->exponent;
  for (; exponent < 0 && n && n % 10 == 0; exponent++) n /= 10;
  for (; exponent > 0 && n && n <= UINT64_MAX / 10; exponent--) n *= 10;
  *magnitude = n;
  return !d->truncated && (exponent == 0 || n == 0);
}

/* Correctly rounded. Two exact doubles divided or multiplied once are (Clinger); the rest is for the C
 * library, which wants a terminated text: a Lua string, so that nothing is lost if that throws. */
static double to_double(lua_State *L, const decimal *d, const char *text, size_t len) {
#if FLT_EVAL_METHOD == 0
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (!d->truncated && d->digits <= UINT64_C(1) << 53 && d->exponent >= -22 && d->exponent <= 22) {
    double n = (double)d->digits;
    n = d->exponent < 0 ? n / powers[-d->exponent] : n * powers[d->exponent];
    return d->negative ? -n : n;
  }
#else
  (void)d;
#endif
  lua_pushlstring(L, text, len);
  double n = strtod_l(lua_tostring(L, -1), NULL, c_locale);
  lua_pop(L, 1);
  return n;
}

/* ---- texts and numbers, typed ------------------------------------------------------------- */

/* Where the caller's stack has the field's strings. */
static int slot(const decoder *d, const field *f, int string) {
  return d->base + 1 + (int)(f - d->fields) * STRINGS + string;
}

/* Keeps the string on top of the stack alive. */
static const char *keep(lua_State *L, const decoder *d, const field *f, int string) {
  const char *text = lua_tostring(L, -1);
  lua_pushvalue(L, -1);
  lua_replace(L, slot(d, f, string));
  return text;
}

static void remember_written(lua_State *L, decoder *d, field *f) {
  const json_field *seen = &d->reader.seen;
  if (f->written.string || !seen->string) return;
  lua_pushlstring(L, seen->string, seen->string_len);
  f->written.string = keep(L, d, f, WRITTEN);
  f->written.string_len = seen->string_len;
  lua_pop(L, 1);
}

static void remember_text(lua_State *L, const decoder *d, field *f, size_t len) {
  f->text = keep(L, d, f, TEXT);
  f->text_len = len;
  f->written.string = NULL;
}

static void push_text(lua_State *L, decoder *d, const char *text, size_t len) {
  field *f = d->current;
  if (f && f->text && f->text_len == len && memcmp(f->text, text, len) == 0) {
    lua_pushvalue(L, slot(d, f, TEXT));
    remember_written(L, d, f);
  } else {
    lua_pushlstring(L, text, len);
    if (f) remember_text(L, d, f, len);
  }
}

static bool push_id(lua_State *L, const char *text, size_t len) {
  decimal n;
  if (!read_decimal(&n, text, len) || !n.integer || n.truncated || n.exponent) return false;
  if (text[n.negative] == '0' && len > 1) return false; /* "007", "-0": the text says more */
  if (!fits(n.negative, n.digits)) return false;
  push_integer(L, n.negative, n.digits);
  return true;
}

static bool push_count(lua_State *L, const char *text, size_t len) {
  decimal n;
  uint64_t magnitude;
  if (!read_decimal(&n, text, len) || !integral(&n, &magnitude) || !fits(n.negative, magnitude)) return false;
  push_integer(L, n.negative, magnitude);
  return true;
}

static bool push_money(lua_State *L, const decoder *d, const char *text, size_t len) {
  decimal n;
  if (d->options.decimal_text || !read_decimal(&n, text, len)) return false;
  double value = to_double(L, &n, text, len);
  if (isinf(value)) return false;
  lua_pushnumber(L, value);
  return true;
}

static bool same(const char *text, size_t len, const char *word) {
  return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool push_flag(lua_State *L, const char *text, size_t len) {
  bool yes = same(text, len, "1") || same(text, len, "true");
  if (!yes && !same(text, len, "0") && !same(text, len, "false")) return false;
  lua_pushboolean(L, yes);
  return true;
}

/* False: the text does not read as the type, nothing was pushed. */
static bool push_typed(lua_State *L, const decoder *d, enum type type, const char *text, size_t len) {
  switch (type) {
    case ID: return push_id(L, text, len);
    case MONEY: return push_money(L, d, text, len);
    case COUNT: return push_count(L, text, len);
    case FLAG: return push_flag(L, text, len);
    default: return false;
  }
}

/* A number that no type claims: an integer keeps all its digits, be it as text. */
static bool push_number(lua_State *L, const char *text, size_t len) {
  decimal n;
  uint64_t magnitude;
  read_decimal(&n, text, len);
  if (n.integer) {
    if (n.truncated || !integral(&n, &magnitude) || !fits(n.negative, magnitude)) return false;
    push_integer(L, n.negative, magnitude);
    return true;
  }
  double value = to_double(L, &n, text, len);
  if (isinf(value)) return false;
  lua_pushnumber(L, value);
  return true;
}

/* A number where an id or money belongs keeps its text when it does not fit; so does an integral count. */
static bool keeps_text(const decoder *d, enum type type, const char *text, size_t len) {
  decimal n;
  if (type == ID || (type == MONEY && d->options.decimal_text)) return true;
  if (type != COUNT) return false;
  read_decimal(&n, text, len);
  return n.exponent >= 0;
}

/* ---- containers --------------------------------------------------------------------------- */

static enum type type_of(const struct action *action, const char *name, size_t len) {
  for (int type = ID; type < TYPES; type++)
    for (const char *const *known = action->fields[type]; *known; known++)
      if (same(name, len, *known)) return (enum type)type;
  return AS_IS;
}

/* The value on top goes where it belongs: under the key below it, to the end of the array, or it is the
 * document. */
static void store(lua_State *L, decoder *d) {
  if (d->top == d->containers) return;
  d->top->size++;
  if (d->top->object)
    lua_rawset(L, -3);
  else
    lua_rawseti(L, -2, d->top->size);
}

/* A field that was given before is taken back. */
static void store_no_field(lua_State *L) {
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  bool given = !lua_isnil(L, -1);
  lua_pop(L, given ? 1 : 2);
  if (!given) return;
  lua_pushnil(L);
  lua_rawset(L, -3);
}

/* null, or "" where it says nothing: an array's place stays empty. */
static void store_nothing(lua_State *L, decoder *d) {
  if (d->top == d->containers)
    lua_pushnil(L);
  else if (d->top->object)
    store_no_field(L);
  else
    d->top->size++;
}

static void open_container(lua_State *L, decoder *d, bool object) {
  int level = (int)(d->top - d->containers);
  bool remembered = object && level < LEVELS;
  luaL_checkstack(L, LUA_MINSTACK, NULL); /* Lua's own promise covers no nesting */
  lua_createtable(L, 0, remembered ? d->sizes[level] : 0);
  container c = {.object = object, .type = d->top->type};
  if (remembered) {
    c.next = (unsigned char)(level * POSITIONS);
    c.end = (unsigned char)(c.next + POSITIONS);
  }
  *++d->top = c;
  d->current = NULL;
}

static void close_container(lua_State *L, decoder *d) {
  const container *c = d->top--;
  int level = (int)(d->top - d->containers);
  /* bounded, or a large object would make each {} after it as large */
  if (c->object && level < LEVELS) d->sizes[level] = c->size < POSITIONS ? c->size : POSITIONS;
  d->current = NULL;
  store(L, d);
}

/* The objects before had the key at this position, or one further on if a field is left out here. */
static field *find_key(decoder *d) {
  for (int i = d->top->next; i < d->top->end && i < d->top->next + 2; i++) {
    field *f = &d->fields[i];
    if (f->key && f->key_len == d->reader.len && memcmp(f->key, d->reader.text, f->key_len) == 0) return f;
  }
  return NULL;
}

static field *remember_key(lua_State *L, decoder *d, enum type type) {
  if (d->top->next == d->top->end) return NULL;
  field *f = &d->fields[d->top->next];
  f->key = keep(L, d, f, KEY);
  f->key_len = d->reader.len;
  f->type = type;
  f->written = (json_field){0};
  return f;
}

static void remember_gap(lua_State *L, decoder *d) {
  json_field *seen = &d->reader.seen;
  field *f = d->current;
  if (f) {
    lua_pushlstring(L, seen->gap, seen->gap_len);
    f->written.gap = keep(L, d, f, GAP);
    f->written.gap_len = seen->gap_len;
    lua_pop(L, 1);
  }
  seen->gap = NULL;
}

/* The present field is f, or one that is not remembered. Says what is likely to come next. */
static void begin_field(decoder *d, field *f, enum type type) {
  d->current = f;
  d->top->type = (unsigned char)type;
  if (f) d->top->next = (unsigned char)(f - d->fields + 1);
}

static bool is_index(const char *text, size_t len) {
  size_t i = 0;
  while (i < len && digit(text[i])) i++;
  return i == len && len <= DECODER_INDEX_DIGITS;
}

static bool has_room_for_key(decoder *d) {
  return is_index(d->reader.text, d->reader.len) || ++d->top->keys <= DECODER_KEYS_MAX;
}

static void push_key(lua_State *L, decoder *d) {
  field *f = find_key(d);
  if (f) {
    lua_pushvalue(L, slot(d, f, KEY));
    begin_field(d, f, f->type);
  } else {
    lua_pushlstring(L, d->reader.text, d->reader.len);
    enum type type = type_of(d->options.action, d->reader.text, d->reader.len);
    begin_field(d, remember_key(L, d, type), type);
  }
}

static void push_likely_key(lua_State *L, decoder *d) {
  field *f = &d->fields[d->top->next];
  d->reader.hit = false;
  lua_pushvalue(L, slot(d, f, KEY));
  begin_field(d, f, f->type);
}

/* After a value: how the next one was written in the object before. */
static void expect(decoder *d) {
  d->reader.likely = d->top->next < d->top->end ? &d->fields[d->top->next].written : NULL;
}

static void take_string(lua_State *L, decoder *d) {
  const char *text = d->reader.text;
  size_t len = d->reader.len;
  enum type type = d->top->type;
  if (d->reader.likely && text == d->reader.likely->string) {
    lua_pushvalue(L, slot(d, d->current, TEXT));
    store(L, d);
    return;
  }
  if (!len && type > ID) {
    store_nothing(L, d);
    return;
  }
  if (!push_typed(L, d, type, text, len)) push_text(L, d, text, len);
  store(L, d);
}

static void take_number(lua_State *L, decoder *d) {
  const char *text = d->reader.text;
  size_t len = d->reader.len;
  enum type type = d->top->type;
  if (!push_typed(L, d, type, text, len) && (keeps_text(d, type, text, len) || !push_number(L, text, len)))
    push_text(L, d, text, len);
  store(L, d);
}

static void take_boolean(lua_State *L, decoder *d, bool yes) {
  lua_pushboolean(L, yes);
  store(L, d);
}

static void forget(lua_State *L, decoder *d) {
  d->top = d->containers;
  d->current = NULL;
  lua_settop(L, d->base + REMEMBERED);
}

/* ---- the decoder -------------------------------------------------------------------------- */

static bool has_room_for_value(decoder *d, json_event event) {
  size_t cost = event == JSON_OBJECT || event == JSON_ARRAY ? DECODER_CONTAINER_COST : 1;
  if (d->values_left < cost) return false;
  d->values_left -= cost;
  return true;
}

static const char *too_large(decoder *d, const char *error) {
  d->verdict = "too_large";
  return error;
}

static const char *reader_error(decoder *d) {
  if (d->reader.blank) d->verdict = "empty";
  return d->reader.limit ? too_large(d, d->reader.error) : d->reader.error;
}

static void take_value(lua_State *L, decoder *d, json_event event) {
  if (d->reader.hit) push_likely_key(L, d);
  if (d->reader.seen.gap) remember_gap(L, d);
  switch (event) {
    case JSON_OBJECT:
    case JSON_ARRAY: open_container(L, d, event == JSON_OBJECT); return;
    case JSON_STRING: take_string(L, d); break;
    case JSON_NUMBER: take_number(L, d); break;
    case JSON_NULL: store_nothing(L, d); break;
    default: take_boolean(L, d, event == JSON_TRUE);
  }
  expect(d);
}

/* NULL: the piece is used up, or the document is whole. */
static const char *take_events(lua_State *L, decoder *d) {
  for (;;) {
    json_event event = json_next(&d->reader);
    switch (event) {
      case JSON_MORE:
      case JSON_END: return NULL;
      case JSON_ERROR: return reader_error(d);
      case JSON_RESET: forget(L, d); break;
      case JSON_KEY:
        if (!has_room_for_key(d)) return too_large(d, "an object with more than 10,000 keys");
        push_key(L, d);
        break;
      case JSON_OBJECT_END:
      case JSON_ARRAY_END:
        close_container(L, d);
        expect(d);
        break;
      default:
        if (!has_room_for_value(d, event)) return too_large(d, "more values than max_body allows");
        take_value(L, d, event);
    }
  }
}

static void to_caller(lua_State *L, decoder *d) {
  int n = lua_gettop(d->thread);
  luaL_checkstack(L, n + LUA_MINSTACK, NULL);
  d->base = lua_gettop(L);
  lua_xmove(d->thread, L, n);
}

static bool to_thread(lua_State *L, decoder *d) {
  int n = lua_gettop(L) - d->base;
  if (!compat_checkstack(L, d->thread, n)) return false;
  lua_xmove(L, d->thread, n);
  return true;
}

bool decoder_feed(lua_State *L, decoder *d, const char *data, size_t len) {
  if (d->error) return false;
  d->error = "out of memory"; /* if Lua throws */
  to_caller(L, d);
  json_feed(&d->reader, data, len);
  const char *error = take_events(L, d);
  if (!error && !to_thread(L, d)) error = "out of memory";
  if (error) lua_settop(L, d->base);
  d->error = error;
  return !error;
}

bool decoder_finish(lua_State *L, decoder *d) {
  if (d->error) return false;
  d->error = "out of memory";
  to_caller(L, d);
  json_finish(&d->reader);
  const char *error = take_events(L, d);
  if (error) {
    d->error = error;
    lua_settop(L, d->base);
    return false;
  }
  d->verdict = lua_isnil(L, -1) ? "null" : "whole";
  lua_replace(L, d->base + 1);
  lua_settop(L, d->base + 1);
  d->error = "finished already";
  return true;
}

const char *decoder_error(const decoder *d) {
  return d->error;
}

const char *decoder_verdict(const decoder *d) {
  return d->verdict;
}

const struct action *decoder_action(const char *name) {
  const struct action *a = actions;
  while (a->name && strcmp(a->name, name) != 0) a++;
  return a;
}

void decoder_release(decoder *d) {
  json_free(&d->reader);
  lua_settop(d->thread, 0);
  d->error = "finished already";
}

static size_t values_allowed(size_t max_body) {
  size_t by_size = max_body / DECODER_BYTES_PER_VALUE;
  return by_size > DECODER_VALUES_MAX ? by_size : DECODER_VALUES_MAX;
}

void decoder_reset(lua_State *L, decoder *d, const decoder_options *o) {
  lua_State *thread = d->thread;
  decoder_release(d);
  memset(d, 0, sizeof *d);
  json_init(&d->reader);
  d->thread = thread;
  d->error = "out of memory";
  d->verdict = "broken";
  d->options = *o;
  d->values_left = values_allowed(o->max_body);
  d->top = d->containers;
  lua_settop(thread, 0);
  if (!compat_checkstack(L, thread, REMEMBERED)) luaL_error(L, "out of memory");
  lua_settop(thread, REMEMBERED);
  d->error = NULL;
}

/* On 5.1 a userdata can keep nothing but a table alive: so it keeps the thread in one. */
decoder *decoder_push(lua_State *L, const decoder_options *o) {
  decoder *d = lua_newuserdata(L, sizeof *d);
  memset(d, 0, sizeof *d);
  luaL_setmetatable(L, DECODER);
  lua_createtable(L, 1, 0);
  d->thread = lua_newthread(L);
  lua_rawseti(L, -2, 1);
  lua_setuservalue(L, -2);
  decoder_reset(L, d, o);
  return d;
}

decoder *decoder_check(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, DECODER);
}

static int failure(lua_State *L, const decoder *d) {
  lua_pushnil(L);
  lua_pushstring(L, d->error);
  return 2;
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
  return decoder_finish(L, d) ? 2 : failure(L, d);
}

static int l_gc(lua_State *L) {
  decoder *d = decoder_check(L, 1);
  json_free(&d->reader);
  return 0;
}

void decoder_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"feed", l_feed}, {"finish", l_finish}, {NULL, NULL}};
  static pthread_once_t once = PTHREAD_ONCE_INIT; /* a program may have Lua states in several threads */
  pthread_once(&once, make_c_locale);
  luaL_newmetatable(L, DECODER);
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
