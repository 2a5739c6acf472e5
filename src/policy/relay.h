/*
 * Relay authority: the one place that decides whether a recipient may be taken at all
 * (DESIGN, law 1). Nobody gets it by the address he connects from: loopback and private
 * networks are strangers like all others.
 */
#ifndef POLICY_RELAY_H
#define POLICY_RELAY_H

#include "base/netaddr.h"
#include "base/str.h"

struct path;

/* Who the client has proved to be. */
enum identity {
	IDENTITY_STRANGER,
	IDENTITY_LOCAL, /* a user of this machine: the kernel vouches for the uid */
};

enum relay {
	RELAY_DENIED, /* somebody else's: 554 5.7.1 */
	RELAY_LOCAL,  /* a domain of ours */
};

/* What is ours. Names are lower case A-labels in the order of their octets. */
struct relay_ours {
	const struct str *names;
	size_t name_count;
	const struct netaddr *listens; /* addresses we are told to listen on */
	size_t listen_count;
	struct str home; /* the domain of mail to our address literals and to <postmaster> */
};

/*
 * May <who> send to <to>? With RELAY_LOCAL *ret_domain is the domain of ours it belongs to
 * (it points into <ours>). <local> is our end of the client's connection: an address literal
 * of ours, as are loopback and the addresses we listen on.
 *
 * A source route is no matter: what stands behind it decides. `%` and `!` are octets of a
 * local part like any other.
 */
enum relay relay_authority(enum identity who, const struct path *to,
                           const struct relay_ours *ours, const struct netaddr *local,
                           struct str *ret_domain);

#endif
