/* append.h - appends whole lines to a file that several processes write to.
 *
 * Holds nothing between calls, may be called on any thread, throws nothing. Knows no Lua and no network. */
#ifndef SMMPANEL_APPEND_H
#define SMMPANEL_APPEND_H

#include <stddef.h>

/* Appends the bytes as one piece: no other process that uses this function writes between them. Creates the file with
 * mode 0600 if it does not exist. Blocks until the bytes are written. Returns 0, or errno. Refuses symbolic links and
 * files that are not regular. */
int append_to_file(const char *path, const char *data, size_t len);

#endif
