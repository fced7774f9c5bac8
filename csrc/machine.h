/* machine.h - what Lua cannot ask the system: which file a path is. Any thread; nothing here throws. */
#ifndef SMMPANEL_MACHINE_H
#define SMMPANEL_MACHINE_H

#include <stdint.h>

typedef struct {
  uint64_t device, inode, links;
} file_identity;

/* -> 0, or errno's number. Links are followed. */
int file_identify(const char *path, file_identity *out);

/* The path from the root on, without links; of a file that does not exist, that of its directory and its
 * name. -> 0, or errno's number. */
enum { PATH_SIZE = 4096 };
int file_absolute(const char *path, char out[PATH_SIZE]);

#endif
