/*
 * Words every file uses: attributes, array length, cleanup. Includes nothing of ours.
 */
#ifndef BASE_DEFS_H
#define BASE_DEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(n) (1U << (n))

/* 1 in a build with AddressSanitizer, whichever compiler makes it. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
