/*
 * Client addresses. See netaddr.h.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/buf.h"
#include "base/netaddr.h"

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Of 0000::/8, which RFC 4291 §2.4 and the IANA keep unassigned; the uid follows. */
static const uint8_t local_prefix[4] = {0, 1, 0, 0};

bool
netaddr_of(const struct sockaddr *sa, struct netaddr *ret)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		memcpy(ret->octets, v4_prefix, sizeof(v4_prefix));
		memcpy(ret->octets + 12, &in.sin_addr, 4);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, sa, sizeof(in));
		memcpy(ret->octets, &in.sin6_addr, 16);
		return memcmp(ret->octets, local_prefix, sizeof(local_prefix)) != 0;
	}
	return false;
}

bool
netaddr_parse(struct str s, struct netaddr *ret)
{
	char text[46];
	struct netaddr a;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strlen(text) != s.n)
		return false;
	memcpy(a.octets, v4_prefix, sizeof(v4_prefix));
	if (inet_pton(AF_INET, text, a.octets + 12) != 1 &&
	    inet_pton(AF_INET6, text, a.octets) != 1)
		return false;
	if (memcmp(a.octets, local_prefix, sizeof(local_prefix)) == 0)
		return false; /* would print as a uid */
	*ret = a;
	return true;
}

struct netaddr
netaddr_local(uint32_t uid)
{
	struct netaddr a = {{0}};
	uint32_t big = htonl(uid);

	memcpy(a.octets, local_prefix, sizeof(local_prefix));
	memcpy(a.octets + sizeof(local_prefix), &big, sizeof(big));
	return a;
}

bool
netaddr_is_local(const struct netaddr *a, uint32_t *ret_uid)
{
	uint32_t big;

	if (memcmp(a->octets, local_prefix, sizeof(local_prefix)) != 0)
		return false;
	memcpy(&big, a->octets + sizeof(local_prefix), sizeof(big));
	*ret_uid = ntohl(big);
	return true;
}

bool
netaddr_is_v4(const struct netaddr *a)
{
	return memcmp(a->octets, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool
netaddr_eq(const struct netaddr *a, const struct netaddr *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

struct netaddr_text
netaddr_text(const struct netaddr *a)
{
	struct netaddr_text t = {{0}};
	struct buf b = BUF_ON(t.c);
	uint32_t uid;

	if (netaddr_is_local(a, &uid)) {
		buf_addf(&b, "uid:%" PRIu32, uid);
		return t;
	}
	/* cannot fail: the families are known and the room is INET6_ADDRSTRLEN */
	if (netaddr_is_v4(a))
		(void)inet_ntop(AF_INET, a->octets + 12, t.c, sizeof(t.c));
	else
		(void)inet_ntop(AF_INET6, a->octets, t.c, sizeof(t.c));
	return t;
}

struct netaddr
netaddr_client(const struct netaddr *a)
{
	struct netaddr client = *a;

	if (!netaddr_is_v4(a))
		memset(client.octets + 8, 0, 8);
	return client;
}
