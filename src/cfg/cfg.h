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
#define CFG_TEXT_MAX 1024U        /* octets of one text */
#define CFG_PATH_MAX 107U         /* octets of a UNIX socket's path: sun_path of unix(7) */
#define CFG_LOCAL_SOCKET "/run/sekisho/submit" /* where programs look for it */
#define CFG_OFF "off"
#define CFG_ALIAS_MOST 1000U /* addresses one alias may lead to, those on the way counted */
#define CFG_ALIAS_DEPTH 50U  /* aliases in a chain */
#define CFG_QUOTA_MIN (1ULL << 20)
#define CFG_QUOTA_MAX (1ULL << 50)
#define CFG_FILES_MOST 16U     /* files of one list */
#define CFG_ENDPOINTS_MOST 32U /* different values of deliver */
#define CFG_LOCALS_MOST 1000U  /* sections local */
#define CFG_SENDERS_MOST 1000U /* of one of them */

enum cfg_service { SERVICE_SMTP, SERVICE_LOCAL, SERVICE_LMTP };
enum cfg_log_to { LOG_TO_STDERR, LOG_TO_SYSLOG };
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
	struct str path;  /* of a UNIX socket; empty: it is TCP, and one of v4 and v6 is set */
	uint16_t mode;    /* of that socket */
	struct str owner; /* name or number; empty: as it is made */
	struct str group;
	bool v4; /* listen on <addr4>, or on all IPv4 addresses */
	bool v6;
	struct netaddr addr4; /* 0.0.0.0 for `*` */
	struct netaddr addr6;
	uint16_t port; /* 0: UNIX */
	enum cfg_service service;
	bool implied; /* by local_socket */
};

/* The socket of listen section i is number 2i for IPv4 or UNIX and 2i + 1 for IPv6 (msg
 * listener). */
#define LISTENER_NUMBER(section, v6) ((unsigned)(section)*2 + ((v6) ? 1 : 0))

/* The socket for collectors of metrics; no section has such a number. */
#define LISTENER_METRICS 999U

/* alias "team" { to = {"alice", "bob"} }: local parts of the same domain, or whole addresses of
 * ours */
struct cfg_alias {
	struct str name; /* local part, lower case */
	struct str *to;  /* canonical local@domain */
	unsigned to_count;
};

/* deliver = "lmtp:127.0.0.1:24": where a domain's mail goes instead of Maildirs. Named by its
 * text, which is in one form: its place in the array changes with a reload. */
struct cfg_endpoint {
	struct str name; /* lmtp:127.0.0.1:24, lmtp:[::1]:24, lmtp:/run/dovecot/lmtp */
	bool is_unix;
	struct netaddr addr; /* where it is none */
	uint16_t port;
	struct str path;
};

/* Files beside sekisho.conf that are read again when they change: no text of them is here. */
struct cfg_files {
	struct str *paths; /* absolute */
	unsigned count;
};

/* What is read beside sekisho.conf: the users of the machine and these. */
enum cfg_map { MAP_PASSWD, MAP_ALIASES, MAP_VIRTUAL };
#define CFG_MAP_KINDS 3U

enum cfg_system_accounts { SYSTEM_ACCOUNTS_refuse, SYSTEM_ACCOUNTS_discard };
enum cfg_mailboxes { MAILBOXES_VIRTUAL, MAILBOXES_SYSTEM };

struct cfg_domain {
	struct str name; /* lower case, A-labels */
	enum cfg_mailboxes mailboxes;
	unsigned endpoint;         /* number n is endpoints[n - 1]; 0: Maildirs */
	uint64_t quota;            /* octets in each virtual mailbox; 0: no limit */
	struct str same_as;        /* the other domain's name, or empty */
	struct str catch_all;      /* canonical local@domain, or empty */
	bool implied;              /* our host name or localhost, which no section names */
	struct cfg_alias *aliases; /* in cfg_name_cmp's order, each name once */
	unsigned alias_count;
};

/* local "www-data" { senders = {"web@example.org"} rate = 100/h } */
struct cfg_local {
	struct str name;     /* of the user */
	struct str *senders; /* canonical local@domain, or "<>" */
	unsigned sender_count;
	uint64_t rate; /* recipients per hour; 0: local_rate */
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
	struct cfg_domain *domains; /* in cfg_name_cmp's order, each name once */
	unsigned domain_count;
	unsigned home; /* in domains: the first section; mail to our address literals is its */
	unsigned system; /* number n is domains[n - 1], the first with mailboxes = system: users
	                    of the machine have its name in theirs; 0: there is none */
	struct cfg_files alias_files;
	struct cfg_files virtual_files;
	struct cfg_endpoint *endpoints; /* in cfg_name_cmp's order, each name once */
	unsigned endpoint_count;
	struct cfg_local *locals; /* in cfg_name_cmp's order, each name once */
	unsigned local_count;
	struct arena *arena; /* owns all of it */
};

/*
 * Read and check the whole of <path>, and behind it, as if they stood in it, the files *.conf
 * of the folder conf.d beside it, in the order of their names' octets. All that was found is in
 * <report>, one a line: "FILE:LINE: KEY: what was expected", or "FILE:LINE: warning: ..." for
 * what does not stop us; so with RC_OK it holds warnings or nothing. RC_PERM for a file that is
 * wrong, RC_TEMP where it could not be read now or memory is out.
 */
struct buf;
enum rc cfg_read(const char *path, struct cfg **ret, struct buf *report) MUST_CHECK;

/* Whether a file of that name in conf.d is read: what an editor or a package manager left
 * behind is none of ours. */
#define CFG_FOLDER "conf.d"
bool cfg_is_part(struct str name);

/* The same from a text; <path> only stands in the report. */
enum rc cfg_read_text(const char *path, struct str text, struct cfg **ret,
                      struct buf *report) MUST_CHECK;

/*
 * The wire form for roles, made and read by the same rows. RC_PERM where it is malformed, by
 * another version, or (encode) over CFG_OCTETS_MAX or the room of <b>. The decoded struct
 * has a copy of <wire>; it is sorted and each same_as leads to a domain without one.
 */
enum rc cfg_encode(const struct cfg *c, struct buf *b, struct err *e) MUST_CHECK;
enum rc cfg_decode(struct str wire, struct cfg **ret, struct err *e) MUST_CHECK;

/* Another symbol: libconfuse has a cfg_free of its own. NULL is fine; returns NULL. */
struct cfg *cfg_free(struct cfg *c) __asm__("sekisho_cfg_free");

/*
 * The domain of ours with this name (ASCII case folded, A-labels), same_as not followed; our
 * host name and localhost are always among them. NULL: not ours.
 */
const struct cfg_domain *cfg_domain_find(const struct cfg *c, struct str name);

/* The domain whose accounts and aliases <name> has: as cfg_domain_find, same_as followed. */
const struct cfg_domain *cfg_domain_canonical(const struct cfg *c, struct str name);

/* Mail to our address literals is this domain's (canonical). NULL: no domain at all. */
const struct cfg_domain *cfg_domain_home(const struct cfg *c);

/* The domain that mailboxes of the machine's users are named by, or NULL. */
const struct cfg_domain *cfg_domain_system(const struct cfg *c);

/* Where mail for the mailboxes of this (canonical) domain goes; NULL: into Maildirs. */
const struct cfg_endpoint *cfg_domain_endpoint(const struct cfg *c, const struct cfg_domain *d);

/* The endpoint of that name, or NULL. */
const struct cfg_endpoint *cfg_endpoint_find(const struct cfg *c, struct str name);

/* Whether the machine's users matter: a domain is theirs, or they hand in mail. */
bool cfg_needs_users(const struct cfg *c);

/* The section of that user, or NULL. */
const struct cfg_local *cfg_local_find(const struct cfg *c, struct str user);

/* The domain that a name without one belongs to where a user of this machine says it. */
struct str cfg_origin(const struct cfg *c);

/* The alias of a canonical domain (ASCII case folded), or NULL. */
const struct cfg_alias *cfg_alias_find(const struct cfg_domain *d, struct str local);

/* What option metrics says. False: it is empty, or no loopback address with a port. */
bool cfg_metrics(struct str text, struct netaddr *ret, uint16_t *ret_port);

/* The order of domains and aliases: octets, ASCII letters without case. */
int cfg_name_cmp(struct str a, struct str b);

/* Word number <at> of "a|b|c", or an empty one past the last. */
struct str cfg_choice_word(const char *choices, unsigned at);

/* The position of <word>; false where it is none of <choices>. */
bool cfg_choice_find(const char *choices, struct str word, unsigned *ret) MUST_CHECK;

#endif
