/* machine.c - see machine.h. */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int file_identify(const char *path, file_identity *out) {
  struct stat s;
  if (stat(path, &s) != 0) return errno;
  *out = (file_identity){
      .device = (uint64_t)s.st_dev, .inode = (uint64_t)s.st_ino, .links = (uint64_t)s.st_nlink};
  return 0;
}

/* realpath(3) into a buffer of PATH_SIZE, independent of PATH_MAX. */
static int resolve(const char *path, char out[PATH_SIZE]) {
  char *found = realpath(path, NULL);
  if (!found) return errno;
  size_t size = strlen(found) + 1;
  if (size <= PATH_SIZE) memcpy(out, found, size);
  free(found);
  return size <= PATH_SIZE ? 0 : ENAMETOOLONG;
}

int file_absolute(const char *path, char out[PATH_SIZE]) {
  int failed = resolve(path, out);
  if (failed != ENOENT) return failed;
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  char directory[PATH_SIZE] = "./";
  size_t head = (size_t)(name - path), tail = strlen(name) + 1;
  if (head >= PATH_SIZE) return ENAMETOOLONG;
  if (slash) memcpy(directory, path, head);
  failed = resolve(directory, out);
  if (failed) return failed;
  head = strlen(out);
  if (head + 1 + tail > PATH_SIZE) return ENAMETOOLONG;
  if (out[head - 1] != '/') out[head++] = '/';
  memcpy(out + head, name, tail);
  return 0;
}
