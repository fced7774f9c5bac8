/* decoder.h - JSON to Lua values, typed by the action that was asked.
 *
 * A decoder is a userdata: Lua's collector owns it, and the caller keeps it reachable while it uses the pointer. All
 * functions run on the thread of the Lua state. What they throw is Lua's "not enough memory" alone; the decoder is
 * then broken, and says so (decoder_error). Knows no network. */
#ifndef SMMPANEL_DECODER_H
#define SMMPANEL_DECODER_H

#include "schema.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct decoder decoder;

/* What one answer may hold, so that its size in memory is bounded by max_body whatever it is made of. Values
 * are counted with DECODER_CONTAINER_COST for each object or array; at least DECODER_VALUES_MAX, and one for
 * each DECODER_BYTES_PER_VALUE of max_body, are allowed. Keys of an object are counted but for indexes and ids
 * of up to DECODER_INDEX_DIGITS digits: PUC 5.1 needs quadratic time for keys that are made to collide. */
enum {
  DECODER_VALUES_MAX = 4 * 1024 * 1024,
  DECODER_CONTAINER_COST = 4,
  DECODER_BYTES_PER_VALUE = 16,
  DECODER_KEYS_MAX = 10000,
  DECODER_INDEX_DIGITS = 7
};

typedef struct {
  const schema
      *schema; /* NULL: every field is as JSON has it. The caller keeps it alive while the decoder is fed */
  bool decimal_text; /* money stays as it is written */
  size_t max_body;   /* bytes of the largest answer */
} decoder_options;

/* Pushes a new decoder. May throw. */
decoder *decoder_push(lua_State *L, const decoder_options *o);

/* Makes a used decoder as if new. May throw. */
void decoder_reset(lua_State *L, decoder *d, const decoder_options *o);

/* Drops what the last answer left in it, until it is reset. Throws nothing. */
void decoder_release(decoder *d);

/* The decoder on top keeps the value at a stack index alive. May throw. */
void decoder_keep(lua_State *L, int index);

/* Decodes a piece. False: what came is not JSON, see decoder_error. May throw. */
bool decoder_feed(lua_State *L, decoder *d, const char *data, size_t len);

/* Decodes the last piece, which may be empty, and ends the document: pushes its value and returns true, or pushes
 * nothing and returns false. A small answer is decoded by this alone. May throw. */
bool decoder_finish(lua_State *L, decoder *d, const char *data, size_t len);

/* Whether all input was read: an error is then that something is missing at the end. */
bool decoder_reached_end(const decoder *d);

/* A static sentence, or NULL. */
const char *decoder_error(const decoder *d);

/* "whole", "null" (nil was pushed), "empty", "broken", "too_large" (one of the limits). */
const char *decoder_verdict(const decoder *d);

/* Registers the metatable; `feed` and `finish` are methods for Lua, too. May throw. */
void decoder_open(lua_State *L);

#endif
