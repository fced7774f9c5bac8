/* leftovers.h - removes partly written files of processes that were killed.
 *
 * Holds nothing between calls, may be called on any thread, throws nothing. Knows no Lua and no network. */
#ifndef SMMPANEL_LEFTOVERS_H
#define SMMPANEL_LEFTOVERS_H

/* Removes the regular files PATH.PID.NUMBER.new beside `path` whose process is gone, and those that are older than an
 * hour: a container gives each of its runs the same process id. Nothing else in the folder is touched. A file that
 * cannot be removed stays; the caller has nothing to do about it. */
void leftovers_remove(const char *path);

#endif
