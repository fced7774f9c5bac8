/* fuzz/json.c - the decoder (csrc/json*.c, builder.c, typed.c, decoder.c): any bytes must give the same value or
 * the same error whole and in pieces; lua-cjson accepts what we accept, with the same value; we accept what it writes.
 *
 * The input: one byte chooses the schema and how money is given, one seeds the splits, the rest is the body. */
#include "../csrc/compat.h"
#include "../csrc/decoder.h"

#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIKE, NULL_IS_ABSENT }; /* how two values are compared */
enum { COLLECT_EVERY = 64 };

static lua_State *L;

#define MUST(condition)                                          \
  do {                                                           \
    if (!(condition)) {                                          \
      fprintf(stderr, "%s:%d: " #condition "\n", __FILE__, __LINE__); \
      abort();                                                   \
    }                                                            \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- comparing ---------------------------------------------------------------------------- */

static bool same(int a, int b, int how);

static bool is_null(int i) {
  return lua_islightuserdata(L, i) && !lua_touserdata(L, i);
}

/* Everything in a is equal in b. */
static bool contained(int a, int b, int how) {
  for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, b);
    int top = lua_gettop(L);
    bool ok = how == NULL_IS_ABSENT && is_null(top - 1) ? lua_isnil(L, top) : same(top - 1, top, how);
    lua_pop(L, 1);
    if (!ok) {
      lua_pop(L, 2);
      return false;
    }
  }
  return true;
}

static bool same_tables(int a, int b, int how) {
  luaL_checkstack(L, 20, NULL);
  if (!contained(a, b, how)) return false;
  for (lua_pushnil(L); lua_next(L, b); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, a);
    bool there = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (there) continue;
    lua_pop(L, 2);
    return false;
  }
  return true;
}

/* lua-cjson makes every number a double; ours keeps text if no Lua number can hold it. */
static bool same_number(int cjson, int ours) {
  if (lua_type(L, ours) == LUA_TSTRING) {
    double n = strtod(lua_tostring(L, ours), NULL);
    return fabs(n) > 9e15;
  }
  if (lua_type(L, ours) != LUA_TNUMBER) return false;
  double a = lua_tonumber(L, cjson), b = lua_tonumber(L, ours);
  return a == b || fabs(b) > 9e15;
}

static bool same(int a, int b, int how) {
  if (how == NULL_IS_ABSENT && lua_type(L, a) == LUA_TNUMBER) return same_number(a, b);
  if (lua_type(L, a) != lua_type(L, b)) return false;
  if (lua_istable(L, a)) return same_tables(a, b, how);
  if (lua_type(L, a) == LUA_TNUMBER && lua_isinteger(L, a) != lua_isinteger(L, b)) return false;
  return lua_rawequal(L, a, b);
}

/* ---- decoding ----------------------------------------------------------------------------- */

static bool decode_whole(const schema *types, bool text, const char *body, size_t len, decoder **d) {
  *d = decoder_push(L, &(decoder_options){.schema = types, .decimal_text = text});
  if (decoder_finish(L, *d, body, len)) return true;
  lua_pushnil(L);
  return false;
}

/* Each piece is a separate block, freed afterwards, so that a sanitizer detects later reads. */
static bool decode_in_pieces(const schema *types, bool text, const char *body, size_t len, unsigned seed,
                             decoder **d) {
  *d = decoder_push(L, &(decoder_options){.schema = types, .decimal_text = text});
  bool ok = true;
  for (size_t from = 0; ok && from < len;) {
    seed = seed * 1103515245u + 12345u;
    size_t part = 1 + (seed >> 16) % (seed & 0x40000000 ? 3 : 24);
    if (part > len - from) part = len - from;
    char *piece = malloc(part);
    MUST(piece);
    memcpy(piece, body + from, part);
    ok = decoder_feed(L, *d, piece, part);
    free(piece);
    from += part;
  }
  if (ok && decoder_finish(L, *d, NULL, 0)) return true;
  lua_pushnil(L);
  return false;
}

static void check_splits(const schema *types, bool text, const char *body, size_t len, unsigned seed) {
  decoder *whole, *pieces;
  bool a = decode_whole(types, text, body, len, &whole);
  bool b = decode_in_pieces(types, text, body, len, seed, &pieces);
  MUST(a == b);
  MUST(strcmp(decoder_verdict(whole), decoder_verdict(pieces)) == 0);
  MUST(strcmp(decoder_error(whole), decoder_error(pieces)) == 0);
  MUST(same(2, 4, ALIKE));
}

/* ---- against lua-cjson; its module is the upvalue-free global "cjson" ---------------------- */

static bool cjson_call(const char *function, int argument) {
  lua_getglobal(L, "cjson");
  lua_getfield(L, -1, function);
  lua_remove(L, -2);
  lua_pushvalue(L, argument);
  return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

static bool begins_as_document(const char *body, size_t len) {
  size_t i = 0;
  while (i < len && strchr(" \t\r\n", body[i]) && body[i]) i++;
  return i < len && (body[i] == '{' || body[i] == '[');
}

/* lua-cjson refuses an unpaired surrogate; we read U+FFFD. */
static void check_accepted(const char *body, size_t len) {
  decoder *d;
  lua_settop(L, 0);
  if (!decode_whole(NULL, false, body, len, &d) || !begins_as_document(body, len)) return;
  lua_pushlstring(L, body, len);
  if (!cjson_call("decode", 3)) {
    MUST(memmem(body, len, "\\u", 2) || memmem(body, len, "\\U", 2));
    return;
  }
  MUST(same(4, 2, NULL_IS_ABSENT));
}

static void check_written(const char *body, size_t len) {
  decoder *d;
  size_t written_len;
  lua_settop(L, 0);
  lua_pushlstring(L, body, len);
  if (!cjson_call("decode", 1) || !lua_istable(L, 2) || !cjson_call("encode", 2)) return;
  const char *written = lua_tolstring(L, 3, &written_len);
  for (size_t i = 0; i < written_len; i++)
    if ((unsigned char)written[i] >= 0x80) return; /* it copies what is not UTF-8 */
  bool ok = decode_whole(NULL, false, written, written_len, &d);
  MUST(ok || strcmp(decoder_error(d), "nested too deeply") == 0);
}

/* ---- the entry ---------------------------------------------------------------------------- */

static const schema *schemas[8]; /* of the actions, and NULL */

static const char preparation[] =
    "cjson = require 'cjson'.new()\n"
    "cjson.decode_max_depth(1000)\n"
    "schemas = {}\n" /* a global: that keeps them alive */
    "for _, row in pairs(require 'smmpanel.api.actions') do schemas[#schemas + 1] = new_schema(row.types) end\n";

static void prepare(void) {
  L = luaL_newstate();
  luaL_openlibs(L);
  schema_open(L);
  decoder_open(L);
  lua_register(L, "new_schema", schema_new);
  if (luaL_dostring(L, preparation)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  lua_getglobal(L, "schemas");
  for (int i = 0; i < 7; i++) {
    lua_rawgeti(L, -1, i + 1);
    schemas[i] = schema_optional(L, -1);
    MUST(schemas[i]);
    lua_pop(L, 1);
  }
  lua_gc(L, LUA_GCSTOP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned runs;
  if (size < 2) return 0;
  if (!L) prepare();
  const char *body = (const char *)data + 2;
  lua_settop(L, 0);
  check_splits(schemas[data[0] & 7], data[0] & 8, body, size - 2, data[1]);
  check_accepted(body, size - 2);
  check_written(body, size - 2);
  lua_settop(L, 0);
  if (++runs % COLLECT_EVERY == 0) lua_gc(L, LUA_GCCOLLECT);
  return 0;
}
