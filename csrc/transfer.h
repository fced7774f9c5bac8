/* transfer.h - one request and its answer, as Lua sees them.
 *
 * A userdata that Lua's collector owns; while it is in flight the state's table keeps it alive. It holds a reference to
 * its exchange until Lua was told of its end. Its uservalue is the table of TRANSFER_SLOTS. Everything runs on the
 * thread of the Lua state. */
#ifndef SMMPANEL_TRANSFER_H
#define SMMPANEL_TRANSFER_H

#include "decoder.h"
#include "exchange.h"

enum { TRANSFER_EXCERPT = 1024 }; /* a web page has its title there */

/* What the uservalue holds. */
enum { TRANSFER_DECODER = 1, TRANSFER_VALUE, TRANSFER_SCHEMA, TRANSFER_SLOTS = TRANSFER_SCHEMA };

typedef struct transfer transfer;
struct transfer {
  buffer request;     /* while it is being made; then the exchange's */
  exchange *exchange; /* until Lua was told of its end */
  decoder_options reading;
  decoder *decoder; /* while the body comes; TRANSFER_DECODER keeps it alive */
  transfer *ended_next;
  exchange_outcome outcome;
  const char *json, *json_error;
  const char *outcome_code; /* where it was Lua's side that failed */
  bool broke;               /* the body broke before its end: that is what ended the exchange */
  bool ended, started;
  bool decoding; /* further up the stack: a finalizer that steps leaves it alone */
  char excerpt[TRANSFER_EXCERPT];
  size_t excerpt_len;
  buffer kept; /* the body as it came, for the wire log: its first kept_max bytes */
  size_t kept_max;
  bool wants_timings;
};

/* lua_CFunction: (client, { action, fields, separator, headers, write, schema, decimals,
 * timeout, keep_body }) -> transfer, or nil, a code
 * and a text where nothing was sent. Throws where the arguments are wrong, and when memory runs out: then nothing was
 * sent either. */
int transfer_start(lua_State *L);

/* lua_CFunction: (fields, separator) -> the body that they make. Throws where one cannot be sent. */
int transfer_form(lua_State *L);

/* Rounded up, at least 1. */
long transfer_milliseconds(lua_Number seconds);

/* Registers the metatable: cancel, result. */
void transfer_open(lua_State *L);

#endif
