/* smmpanel.h - the version of the whole project. Everything else that states one is compared with this. */
#ifndef SMMPANEL_H
#define SMMPANEL_H

#define SMMPANEL_VERSION "0.1.0"

#endif
