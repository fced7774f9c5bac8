/* proxy.h - the proxy that the environment names, by libcurl's rules.
 *
 * libcurl would read the environment in the engine's thread, where that races with a setenv of the host. So it is read
 * here: on the host's own thread alone. Texts belong to the environment. Nothing here throws. */
#ifndef SMMPANEL_PROXY_H
#define SMMPANEL_PROXY_H

/* For a URL, or "" for none. */
const char *proxy_for(const char *url);

/* The hosts that are reached without it, or "". */
const char *proxy_exceptions(void);

#endif
