/* transfer.h - one request and its response, as Lua sees them.
 *
 * A userdata that Lua's collector owns; while it is in flight the state's table keeps it alive. It holds a reference to
 * its exchange until Lua takes the result. Its uservalue is the table of TRANSFER_SLOTS. It is small, because the
 * collector's work grows with the bytes that are allocated. Everything runs on the thread of the Lua state. */
#ifndef SMMPANEL_TRANSFER_H
#define SMMPANEL_TRANSFER_H

#include "decoder.h"
#include "exchange.h"

enum { TRANSFER_EXCERPT = 1024 }; /* bytes; enough for the title of a web page */

/* Indexes of the uservalue. */
enum { TRANSFER_DECODER = 1, TRANSFER_VALUE, TRANSFER_SCHEMA, TRANSFER_SLOTS = TRANSFER_SCHEMA };

typedef struct transfer transfer;
struct transfer {
  buffer request;     /* the body while it is built; then the exchange owns it */
  exchange *exchange; /* NULL after the result was taken; after its end this thread may write its outcome */
  decoder_options reading;
  decoder *decoder; /* while the body is received; TRANSFER_DECODER keeps it alive */
  transfer *ended_next;
  const char *json, *json_error;
  const char *outcome_code; /* the code if the failure was on Lua's side, or NULL */
  bool broke;               /* the body could not be decoded, which ended the exchange early */
  bool ended, started, taken;
  bool decoding;  /* set during a decoding: a step in a finalizer skips this transfer */
  buffer excerpt; /* the first TRANSFER_EXCERPT bytes of the body */
  buffer kept;    /* the first kept_max bytes of the body, unchanged, for the wire log */
  size_t kept_max;
  bool wants_timings;
};

/* lua_CFunction: (client, { action, fields, separator, headers, write, schema, decimals, deadline, timings, keep_body })
 * -> transfer, or nil, a code and a text if nothing was sent. Throws if the arguments are wrong and when memory runs out;
 * nothing is sent then. */
int transfer_start(lua_State *L);

/* lua_CFunction: (fields, separator) -> the form's body. Throws if a field cannot be sent. */
int transfer_form(lua_State *L);

/* Converts seconds to milliseconds, rounded up, at least 1. */
long transfer_milliseconds(lua_Number seconds);

/* Registers the metatable: cancel; has_ended; result, which returns the outcome of an ended transfer, once. */
void transfer_open(lua_State *L);

#endif
