/* decoder.h - JSON to Lua values, typed by the action that was asked.
 *
 * A decoder is a userdata: Lua's collector owns it, and the caller keeps it reachable while it uses the pointer. All
 * functions run on the thread of the Lua state. What they throw is Lua's "not enough memory" alone; the decoder is
 * then broken, and says so (decoder_error). Knows no network. */
#ifndef SMMPANEL_DECODER_H
#define SMMPANEL_DECODER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct decoder decoder;

/* How the answers of an action read (field types by name): a static row, never freed. Any unknown name has one. */
const struct action *decoder_action(const char *name);

/* Pushes a new decoder. May throw. */
decoder *decoder_push(lua_State *L, const struct action *action, bool decimal_text);

/* Makes a used decoder as if new. May throw. */
void decoder_reset(lua_State *L, decoder *d, const struct action *action, bool decimal_text);

/* The decoder at a stack index; throws an argument error where there is none. */
decoder *decoder_check(lua_State *L, int arg);

/* Decodes a piece. False: what came is not JSON, see decoder_error. May throw. */
bool decoder_feed(lua_State *L, decoder *d, const char *data, size_t len);

/* Ends the document: pushes its value and returns true, or pushes nothing and returns false. May throw. */
bool decoder_finish(lua_State *L, decoder *d);

/* A static sentence, or NULL. */
const char *decoder_error(const decoder *d);

/* "whole", "null" (nil was pushed), "empty", "broken". */
const char *decoder_verdict(const decoder *d);

/* Registers the metatable; `feed` and `finish` are methods for Lua, too. May throw. */
void decoder_open(lua_State *L);

#endif
