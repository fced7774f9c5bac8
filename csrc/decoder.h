/* decoder.h - decodes JSON to Lua values, typed by the action's schema.
 *
 * A decoder is a userdata: Lua's collector owns it, and the caller keeps it reachable while it uses the pointer. All
 * functions run on the thread of the Lua state. They throw only Lua's "not enough memory"; decoder_error then returns
 * an error until the decoder is reset. Knows no network. */
#ifndef SMMPANEL_DECODER_H
#define SMMPANEL_DECODER_H

#include "schema.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct decoder decoder;

/* Limits for one answer, so that max_body bounds its size in memory whatever it contains. An object or array counts
 * as DECODER_CONTAINER_COST values, everything else as one. The limit is one value for each DECODER_BYTES_PER_VALUE of
 * max_body, but at least DECODER_VALUES_MAX. Keys of an object are limited too, because PUC 5.1 needs quadratic time
 * for keys that are made to collide; indexes and ids of up to DECODER_INDEX_DIGITS digits do not count. Values of an
 * object or array that are neither are limited, because Lua grows a table in one step, and one of a million takes 20 ms:
 * only a catalogue is long, and its rows are objects. */
enum {
  DECODER_VALUES_MAX = 4 * 1024 * 1024,
  DECODER_CONTAINER_COST = 4,
  DECODER_BYTES_PER_VALUE = 16,
  DECODER_KEYS_MAX = 10000,
  DECODER_SCALARS_MAX = 10000,
  DECODER_INDEX_DIGITS = 7
};

typedef struct {
  const schema
      *schema; /* NULL: fields keep their JSON types. The caller keeps it alive while the decoder is fed */
  bool decimal_text; /* money stays text, unchanged */
  size_t max_body;   /* bytes of the largest answer */
} decoder_options;

/* Pushes a new decoder. May throw. */
decoder *decoder_push(lua_State *L, const decoder_options *o);

/* The decoder at a stack index; throws if it is something else. */
decoder *decoder_check(lua_State *L, int arg);

/* Resets a used decoder to its initial state. May throw. */
void decoder_reset(lua_State *L, decoder *d, const decoder_options *o);

/* Drops all data of the last answer. Reset the decoder before the next use. Throws nothing. */
void decoder_release(decoder *d);

/* Makes the decoder on top of the stack keep the value at a stack index alive. May throw. */
void decoder_keep(lua_State *L, int index);

/* Decodes a piece. False: the input is not JSON, see decoder_error. May throw. */
bool decoder_feed(lua_State *L, decoder *d, const char *data, size_t len);

/* Decodes the last piece, which may be empty, and ends the document. Pushes its value and returns true, or pushes
 * nothing and returns false. A small answer needs only this call. May throw. */
bool decoder_finish(lua_State *L, decoder *d, const char *data, size_t len);

/* Whether all input was read: an error then means that the input is truncated. */
bool decoder_reached_end(const decoder *d);

/* The error as a static sentence, or NULL. */
const char *decoder_error(const decoder *d);

/* One of "whole", "null" (nil was pushed), "empty", "broken", "too_large" (a limit was exceeded). */
const char *decoder_verdict(const decoder *d);

/* Registers the metatable, with the Lua methods `feed` and `finish`. May throw. */
void decoder_open(lua_State *L);

#endif
