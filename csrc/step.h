/* step.h - decodes the data that has arrived, and returns the transfers that have ended to Lua. */
#ifndef SMMPANEL_STEP_H
#define SMMPANEL_STEP_H

#include <lua.h>

/* lua_CFunction: (bytes) -> the list of transfers that have ended, or nothing; and what a hook of the interpreter threw
 * during a decoding (Ctrl-C), if it did. Decodes at most about `bytes` (16 kB), never blocks. Throws if memory for the
 * list runs out; the next step then returns it. */
int step_run(lua_State *L);

/* Makes the list of spare decoders; call it once per Lua state. May throw. */
void step_open(lua_State *L);

#endif
