/* machine.h - file identity and absolute paths, which Lua has no functions for. Any thread; nothing here throws. */
#ifndef SMMPANEL_MACHINE_H
#define SMMPANEL_MACHINE_H

#include <stdint.h>

typedef struct {
  uint64_t device, inode, links;
} file_identity;

/* Follows symbolic links. Returns 0, or errno. */
int file_identify(const char *path, file_identity *out);

/* The absolute path without symbolic links. If the file does not exist, its directory must. Returns 0, or errno. */
enum { PATH_SIZE = 4096 };
int file_absolute(const char *path, char out[PATH_SIZE]);

#endif
