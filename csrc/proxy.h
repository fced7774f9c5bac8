/* proxy.h - the proxy from the environment variables, by libcurl's rules.
 *
 * libcurl would read the environment in the engine's thread, which races with a setenv in the program. These functions
 * run on the Lua state's thread only. Texts belong to the environment. Nothing here throws. */
#ifndef SMMPANEL_PROXY_H
#define SMMPANEL_PROXY_H

/* The proxy for a URL, or "". */
const char *proxy_for(const char *url);

/* The hosts to connect to without a proxy, or "". */
const char *proxy_exceptions(void);

#endif
