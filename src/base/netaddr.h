/*
 * One form for every client address: 16 octets, IPv4 as ::ffff:a.b.c.d, a local process as its
 * uid behind a prefix that no network uses. Normalised once, where the connection is accepted,
 * so that a ban, a count and a log line mean the same client.
 */
#ifndef BASE_NETADDR_H
#define BASE_NETADDR_H

#include "base/str.h"

struct sockaddr;

struct netaddr {
	uint8_t octets[16];
};

struct netaddr_text {
	char c[46]; /* INET6_ADDRSTRLEN */
};

/* False for a family other than AF_INET and AF_INET6, and for an address that stands for a
 * local process. */
bool netaddr_of(const struct sockaddr *sa, struct netaddr *ret) MUST_CHECK;

/* "192.0.2.1" or "2001:db8::1": without brackets or zone. */
bool netaddr_parse(struct str s, struct netaddr *ret) MUST_CHECK;

/* Who is at the other end of a UNIX socket, as the kernel tells it (SO_PEERCRED). */
struct netaddr netaddr_local(uint32_t uid);

/* False for an address of a network; *ret_uid is then untouched. */
bool netaddr_is_local(const struct netaddr *a, uint32_t *ret_uid) MUST_CHECK;

bool netaddr_is_v4(const struct netaddr *a);
bool netaddr_eq(const struct netaddr *a, const struct netaddr *b);
/* A local process is "uid:1000", which netaddr_parse does not take. */
struct netaddr_text netaddr_text(const struct netaddr *a);

/* What counts as one client: an IPv4 address, an IPv6 /64, or a uid. */
struct netaddr netaddr_client(const struct netaddr *a);

#endif
