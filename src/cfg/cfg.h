/*
 * sekisho.conf as a struct. Parsed and checked wholly by master and the commands
 * (cfg_parse.c, libconfuse); roles receive the same struct in a sealed memfd (cfg_wire.c),
 * so none of them parses configuration text.
 */
#ifndef CFG_CFG_H
#define CFG_CFG_H

#include "base/arena.h"
#include "base/err.h"
#include "base/netaddr.h"
#include "base/str.h"

#define CFG_OCTETS_MAX (8U << 20) /* the file, and the encoded form */

enum cfg_service { SERVICE_SMTP };
enum cfg_log_level {
	CFG_LOG_error,
	CFG_LOG_warn,
	CFG_LOG_info,
	CFG_LOG_debug
}; /* as enum log_level */

/* listen "mx" { address = "*:25" service = smtp } */
struct cfg_listen {
	struct str name;
	struct str address; /* as written */
	bool v4;            /* listen on <addr4>, or on all IPv4 addresses */
	bool v6;
	struct netaddr addr4; /* 0.0.0.0 for `*` */
	struct netaddr addr6;
	uint16_t port;
	enum cfg_service service;
};

/* The socket of listen section i is number 2i for IPv4 and 2i + 1 for IPv6 (msg listener). */
#define LISTENER_NUMBER(section, v6) ((unsigned)(section)*2 + ((v6) ? 1 : 0))

/* alias "team" { to = {"alice", "bob"} }: local parts of the same domain, or whole addresses of
 * ours */
struct cfg_alias {
	struct str name; /* local part, lower case */
	struct str *to;  /* canonical local@domain */
	unsigned to_count;
};

struct cfg_domain {
	struct str name;      /* lower case, A-labels */
	struct str same_as;   /* the other domain's name, or empty */
	struct str catch_all; /* canonical local@domain, or empty */
	struct cfg_alias *aliases;
	unsigned alias_count;
};

struct cfg {
	/* clang-format off */
#define TEXT(name, initial, doc)                  struct str name;
#define OPTION(name, initial, min, max, unit, doc) uint64_t name;
#define CHOICE(name, initial, choices, doc)       unsigned name; /* position in choices */
#include "cfg/cfg.def"
	/* clang-format on */
	struct cfg_listen *listens;
	unsigned listen_count;
	struct cfg_domain *domains;
	unsigned domain_count;
	struct arena *arena; /* owns all of it */
};

/*
 * Read and check the whole of <path>. On failure every problem found is in <report>, one a
 * line: "FILE:LINE: KEY: what was expected".
 */
struct buf;
enum rc cfg_read(const char *path, struct cfg **ret, struct buf *report) MUST_CHECK;

/* The wire form for roles, made and read by the same rows. RC_PERM where it is malformed. */
enum rc cfg_encode(const struct cfg *c, struct buf *b, struct err *e) MUST_CHECK;
enum rc cfg_decode(struct str wire, struct cfg **ret, struct err *e) MUST_CHECK;

struct cfg *cfg_free(struct cfg *c);

/*
 * The domain of ours with this name (ASCII case folded), same_as not followed; our host
 * name, localhost and our own address literals are domains of ours as well. NULL: not ours.
 */
const struct cfg_domain *cfg_domain_find(const struct cfg *c, struct str name);

#endif
