/* A library in libcurl's place, which is too old, or lacks a function (LACKING). curl.h is not included: it declares the
 * functions with their real types. */
#include <stddef.h>

struct info {
  int age;
  const char *version;
  unsigned version_num;
};

void *curl_version_info(int stamp) {
  static struct info info = {0, "7.74.0", 0x074a00};
  (void)stamp;
  return &info;
}

#define STUB(name) \
  void *curl_##name(void) { return NULL; }
STUB(global_init)
STUB(easy_init) STUB(easy_setopt) STUB(easy_getinfo) STUB(easy_pause) STUB(easy_strerror) STUB(easy_reset) STUB(easy_cleanup)
STUB(multi_init) STUB(multi_setopt) STUB(multi_add_handle) STUB(multi_remove_handle) STUB(multi_info_read)
STUB(multi_socket_action) STUB(multi_cleanup)
#ifndef LACKING
STUB(multi_assign)
#endif
