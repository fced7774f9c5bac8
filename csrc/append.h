/* append.h - whole lines at the end of a file that several processes write to.
 *
 * Holds nothing between calls, may be called on any thread, throws nothing. Knows no Lua and no network. */
#ifndef SMMPANEL_APPEND_H
#define SMMPANEL_APPEND_H

#include <stddef.h>

/* Appends the bytes as one piece: no other process that appends by this function writes between them. The file is
 * made with mode 0600 where it is not there. Blocks until they are written. 0, or the errno of what failed: a file
 * that is a symbolic link or no regular file is refused. */
int append_to_file(const char *path, const char *data, size_t len);

#endif
