/* Version of these headers. */
#ifndef PLANISH_VERSION_H
#define PLANISH_VERSION_H

#define PLANISH_VERSION_MAJOR 0
#define PLANISH_VERSION_MINOR 1
#define PLANISH_VERSION_PATCH 0
#define PLANISH_VERSION_STRING "0.1.0"

#endif
