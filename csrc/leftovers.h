/* leftovers.h - removes partly written files of processes that were killed.
 *
 * Holds nothing between calls, may be called on any thread, throws nothing. Knows no Lua and no network. */
#ifndef SMMPANEL_LEFTOVERS_H
#define SMMPANEL_LEFTOVERS_H

/* Removes the regular files PATH.PID.NUMBER.new next to `path` whose process has ended, and those that are older than
 * an hour, because a container gives each of its runs the same process id. Touches nothing else in the directory. A
 * file that cannot be removed stays, which is not an error. */
void leftovers_remove(const char *path);

#endif
