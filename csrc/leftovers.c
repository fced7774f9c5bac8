/* leftovers.c - half-written files of processes that were killed. */
#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_SAVE 3600 /* seconds */

static int is_gone(long pid) {
  return kill((pid_t)pid, 0) && errno == ESRCH;
}

/* The process id in "PREFIX.PID.NUMBER.new"; 0 for any other name. */
static long pid_in(const char *name, const char *prefix) {
  size_t len = strlen(prefix);
  if (strncmp(name, prefix, len) || name[len] != '.') return 0;
  const char *pid = name + len + 1, *number = pid + strspn(pid, "0123456789");
  if (number == pid || number - pid > 9 || *number != '.') return 0;
  const char *end = number + 1 + strspn(number + 1, "0123456789");
  return end > number + 1 && !strcmp(end, ".new") ? strtol(pid, NULL, 10) : 0;
}

static void remove_if_left(int folder, const char *name, long pid) {
  struct stat s;
  if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) || !S_ISREG(s.st_mode)) return;
  if (is_gone(pid) || time(NULL) - s.st_mtime > LONGEST_SAVE) unlinkat(folder, name, 0);
}

/* The folder that a path leads into. */
static DIR *open_folder(const char *path, const char *file) {
  if (file == path) return opendir(".");
  char *folder = strdup(path);
  if (!folder) return NULL;
  folder[file - path] = '\0';
  DIR *opened = opendir(folder);
  free(folder);
  return opened;
}

void leftovers_remove(const char *path) {
  const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
  DIR *folder = open_folder(path, file);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));) {
    long pid = pid_in(entry->d_name, file);
    if (pid > 0) remove_if_left(dirfd(folder), entry->d_name, pid);
  }
  closedir(folder);
}
