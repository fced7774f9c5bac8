/* step.h - moves what has arrived into decoders, and gives Lua the transfers that have ended. */
#ifndef SMMPANEL_STEP_H
#define SMMPANEL_STEP_H

#include <lua.h>

/* lua_CFunction: (bytes) -> the list of transfers that have ended, or nothing. Decodes about `bytes` (16 kB) at most and
 * never blocks. Throws when the list cannot be made: the next step gives it. */
int step_run(lua_State *L);

/* Makes the list of spare decoders, once a Lua state. May throw. */
void step_open(lua_State *L);

#endif
