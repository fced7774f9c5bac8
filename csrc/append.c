/* append.c - see append.h. */
#include "append.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_regular(int fd) {
  struct stat s;
  if (fstat(fd, &s)) return errno;
  return S_ISREG(s.st_mode) ? 0 : EINVAL;
}

static int lock(int fd) {
  while (flock(fd, LOCK_EX))
    if (errno != EINTR) return errno;
  return 0;
}

/* Truncates a partly written piece, so that the next line does not begin in its middle. */
static int write_all(int fd, const char *data, size_t len) {
  off_t before = lseek(fd, 0, SEEK_END);
  for (size_t done = 0; done < len;) {
    ssize_t n = write(fd, data + done, len - done);
    if (n >= 0) {
      done += (size_t)n;
    } else if (errno != EINTR) {
      int why = errno;
      return before >= 0 && ftruncate(fd, before) ? errno : why;
    }
  }
  return 0;
}

int append_to_file(const char *path, const char *data, size_t len) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return errno;
  int why = check_regular(fd);
  if (!why) why = lock(fd);
  if (!why) why = write_all(fd, data, len);
  close(fd);
  return why;
}
