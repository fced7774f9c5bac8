/* builder.c - see builder.h.
 *
 * The rows of a list are alike. At each of the first levels the builder caches, for each position in an object, its
 * last key and the last text under it, as Lua strings on the stack below the unfinished values. If the next row has
 * the same key or text, the cached string is pushed without creating or looking up a string. */
#include "builder.h"
#include "compat.h"
#include "typed.h"

#include <string.h>

/* ---- the cache of strings ------------------------------------------------------------------- */

/* The stack index of a field's string. */
static int slot(const builder *b, const field *f, int string) {
  return b->base + 1 + (int)(f - b->fields) * BUILDER_STRINGS + string;
}

/* Keeps the string on top of the stack alive. */
static const char *keep(lua_State *L, const builder *b, const field *f, int string) {
  const char *text = lua_tostring(L, -1);
  lua_pushvalue(L, -1);
  lua_replace(L, slot(b, f, string));
  return text;
}

static void remember_written(lua_State *L, builder *b, field *f) {
  const json_field *seen = &b->reader.seen;
  if (f->written.string || !seen->string) return;
  lua_pushlstring(L, seen->string, seen->string_len);
  f->written.string = keep(L, b, f, WRITTEN);
  f->written.string_len = seen->string_len;
  lua_pop(L, 1);
}

static void remember_text(lua_State *L, const builder *b, field *f, size_t len) {
  f->text = keep(L, b, f, TEXT);
  f->text_len = len;
  f->written.string = NULL;
}

static void push_text(lua_State *L, builder *b, const char *text, size_t len) {
  field *f = b->current;
  if (f && f->text && f->text_len == len && memcmp(f->text, text, len) == 0) {
    lua_pushvalue(L, slot(b, f, TEXT));
    remember_written(L, b, f);
  } else {
    lua_pushlstring(L, text, len);
    if (f) remember_text(L, b, f, len);
  }
}

/* ---- containers --------------------------------------------------------------------------- */

/* Stores the value on top: under the key below it, or at the end of the array. Without a container it is the document
 * and stays on the stack. */
static void store(lua_State *L, builder *b) {
  if (b->top == b->containers) return;
  b->top->size++;
  if (b->top->object)
    lua_rawset(L, -3);
  else
    lua_rawseti(L, -2, b->top->size);
}

/* Removes a field that was set before under the same key. */
static void store_no_field(lua_State *L) {
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  bool given = !lua_isnil(L, -1);
  lua_pop(L, given ? 1 : 2);
  if (!given) return;
  lua_pushnil(L);
  lua_rawset(L, -3);
}

/* Stores nothing: for null, and for "" as money, count or flag. An array keeps an empty place. */
static void store_nothing(lua_State *L, builder *b) {
  if (b->top == b->containers)
    lua_pushnil(L);
  else if (b->top->object)
    store_no_field(L);
  else
    b->top->size++;
}

static void open_container(lua_State *L, builder *b, bool object) {
  int level = (int)(b->top - b->containers);
  bool remembered = object && level < BUILDER_LEVELS;
  luaL_checkstack(L, LUA_MINSTACK, NULL); /* LUA_MINSTACK alone does not cover nesting */
  lua_createtable(L, 0, remembered ? b->sizes[level] : 0);
  container c = {.object = object, .type = b->top->type};
  if (remembered) {
    c.next = (unsigned char)(level * BUILDER_POSITIONS);
    c.end = (unsigned char)(c.next + BUILDER_POSITIONS);
  }
  *++b->top = c;
  b->current = NULL;
}

static void close_container(lua_State *L, builder *b) {
  const container *c = b->top--;
  int level = (int)(b->top - b->containers);
  /* bounded, because otherwise each {} after a large object would be as large */
  if (c->object && level < BUILDER_LEVELS)
    b->sizes[level] = c->size < BUILDER_POSITIONS ? c->size : BUILDER_POSITIONS;
  b->current = NULL;
  store(L, b);
}

/* Finds the key in the cache: at this position, or at the next one if a field is missing here. */
static field *find_key(builder *b) {
  for (int i = b->top->next; i < b->top->end && i < b->top->next + 2; i++) {
    field *f = &b->fields[i];
    if (f->key && f->key_len == b->reader.len && memcmp(f->key, b->reader.text, f->key_len) == 0) return f;
  }
  return NULL;
}

static field *remember_key(lua_State *L, builder *b, field_type type) {
  if (b->top->next == b->top->end) return NULL;
  field *f = &b->fields[b->top->next];
  f->key = keep(L, b, f, KEY);
  f->key_len = b->reader.len;
  f->type = type;
  f->written = (json_field){0};
  return f;
}

static void remember_gap(lua_State *L, builder *b) {
  json_field *seen = &b->reader.seen;
  field *f = b->current;
  if (f) {
    lua_pushlstring(L, seen->gap, seen->gap_len);
    f->written.gap = keep(L, b, f, GAP);
    f->written.gap_len = seen->gap_len;
    lua_pop(L, 1);
  }
  seen->gap = NULL;
}

/* Makes f the current field; NULL: a field that is not cached. */
static void begin_field(builder *b, field *f, field_type type) {
  b->current = f;
  b->top->type = (unsigned char)type;
  if (f) b->top->next = (unsigned char)(f - b->fields + 1);
}

static bool is_index(const char *text, size_t len) {
  size_t i = 0;
  while (i < len && text[i] >= '0' && text[i] <= '9') i++;
  return i == len && len <= DECODER_INDEX_DIGITS;
}

static bool has_room_for_key(builder *b) {
  return is_index(b->reader.text, b->reader.len) || ++b->top->keys <= DECODER_KEYS_MAX;
}

static void push_key(lua_State *L, builder *b) {
  field *f = find_key(b);
  if (f) {
    lua_pushvalue(L, slot(b, f, KEY));
    begin_field(b, f, f->type);
  } else {
    lua_pushlstring(L, b->reader.text, b->reader.len);
    field_type type = schema_type(b->options.schema, b->reader.text, b->reader.len);
    begin_field(b, remember_key(L, b, type), type);
  }
}

static void push_likely_key(lua_State *L, builder *b) {
  field *f = &b->fields[b->top->next];
  b->reader.hit = false;
  lua_pushvalue(L, slot(b, f, KEY));
  begin_field(b, f, f->type);
}

/* After a value: sets the source text of the next value in the previous object as `likely`. */
static void expect(builder *b) {
  b->reader.likely = b->top->next < b->top->end ? &b->fields[b->top->next].written : NULL;
}

static void take_string(lua_State *L, builder *b) {
  const char *text = b->reader.text;
  size_t len = b->reader.len;
  field_type type = b->top->type;
  if (b->reader.likely && text == b->reader.likely->string) {
    lua_pushvalue(L, slot(b, b->current, TEXT));
    store(L, b);
    return;
  }
  if (!len && type > FIELD_ID) {
    store_nothing(L, b);
    return;
  }
  bool typed = type != FIELD_AS_IS && typed_push_string(L, type, b->options.decimal_text, text, len);
  if (!typed) push_text(L, b, text, len);
  store(L, b);
}

static void take_number(lua_State *L, builder *b) {
  const char *text = b->reader.text;
  size_t len = b->reader.len;
  field_type type = b->top->type;
  if (!typed_push_number(L, type, b->options.decimal_text, text, len)) push_text(L, b, text, len);
  store(L, b);
}

static void take_boolean(lua_State *L, builder *b, bool yes) {
  lua_pushboolean(L, yes);
  store(L, b);
}

static void forget(lua_State *L, builder *b) {
  b->top = b->containers;
  b->current = NULL;
  lua_settop(L, b->base + BUILDER_SLOTS);
}

/* ---- events -------------------------------------------------------------------------------- */

static const char *too_large(builder *b, const char *error) {
  b->verdict = "too_large";
  return error;
}

static const char many_values[] = "more values than max_body allows";

static bool has_room(builder *b, size_t cost) {
  if (b->values_left < cost) return false;
  b->values_left -= cost;
  return true;
}

static const char *reader_error(builder *b) {
  if (b->reader.blank) b->verdict = "empty";
  return b->reader.limit ? too_large(b, b->reader.error) : b->reader.error;
}

static const char *take_container(lua_State *L, builder *b, bool object) {
  if (!has_room(b, DECODER_CONTAINER_COST)) return too_large(b, many_values);
  open_container(L, b, object);
  return NULL;
}

static const char *take_scalar(lua_State *L, builder *b, json_event event) {
  if (!has_room(b, 1)) return too_large(b, many_values);
  if (++b->top->scalars > DECODER_SCALARS_MAX)
    return too_large(b, "a list with more than 10,000 plain values");
  switch (event) {
    case JSON_STRING: take_string(L, b); break;
    case JSON_NUMBER: take_number(L, b); break;
    case JSON_NULL: store_nothing(L, b); break;
    default: take_boolean(L, b, event == JSON_TRUE);
  }
  expect(b);
  return NULL;
}

static const char *take_value(lua_State *L, builder *b, json_event event) {
  if (b->reader.hit) push_likely_key(L, b);
  if (b->reader.seen.gap) remember_gap(L, b);
  if (event == JSON_OBJECT || event == JSON_ARRAY) return take_container(L, b, event == JSON_OBJECT);
  return take_scalar(L, b, event);
}

/* NULL: the piece is used up, or the document is complete. */
const char *builder_take_events(lua_State *L, builder *b) {
  const char *error;
  for (;;) {
    json_event event = json_next(&b->reader);
    switch (event) {
      case JSON_MORE:
      case JSON_END: return NULL;
      case JSON_ERROR: return reader_error(b);
      case JSON_RESET: forget(L, b); break;
      case JSON_KEY:
        if (!has_room_for_key(b)) return too_large(b, "an object with more than 10,000 keys");
        push_key(L, b);
        break;
      case JSON_OBJECT_END:
      case JSON_ARRAY_END:
        close_container(L, b);
        expect(b);
        break;
      default:
        if ((error = take_value(L, b, event))) return error;
    }
  }
}

static size_t values_allowed(size_t max_body) {
  size_t by_size = max_body / DECODER_BYTES_PER_VALUE;
  return by_size > DECODER_VALUES_MAX ? by_size : DECODER_VALUES_MAX;
}

void builder_init(builder *b, const decoder_options *o) {
  memset(b, 0, sizeof *b);
  json_init(&b->reader);
  b->verdict = "broken";
  b->options = *o;
  b->values_left = values_allowed(o->max_body);
  b->top = b->containers;
}
