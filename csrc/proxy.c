/* proxy.c - http_proxy, https_proxy, all_proxy, no_proxy. */
#include "proxy.h"

#include <stdlib.h>
#include <strings.h>

/* The first of two variables that is set and not empty. */
static const char *either(const char *lower, const char *upper) {
  const char *value = getenv(lower);
  if (value && *value) return value;
  value = upper ? getenv(upper) : NULL;
  return value && *value ? value : NULL;
}

/* HTTP_PROXY is not read: in a CGI program that is the client's header "Proxy". */
const char *proxy_for(const char *url) {
  const char *proxy =
      strncasecmp(url, "https:", 6) == 0 ? either("https_proxy", "HTTPS_PROXY") : either("http_proxy", NULL);
  if (!proxy) proxy = either("all_proxy", "ALL_PROXY");
  return proxy ? proxy : "";
}

const char *proxy_exceptions(void) {
  const char *hosts = either("no_proxy", "NO_PROXY");
  return hosts ? hosts : "";
}
