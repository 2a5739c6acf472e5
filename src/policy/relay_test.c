#include "base/test.h"
#include "policy/relay.h"
#include "proto/address.h"

#define H "mail.ours.example" /* our host name */
#define L "ours.example"
#define I "192.0.2.25" /* our end of the connection */

/* In order of octets, as relay.h wants them. */
static const struct str names[] = {
	{"localhost",      9            },
        {H,                sizeof(H) - 1},
        {L,                sizeof(L) - 1},
        {"second.example", 14           }
};

struct ours_room {
	struct netaddr listens[2];
	struct netaddr local;
	struct relay_ours ours;
};

static void
make_ours(struct ours_room *r)
{
	assert_true(netaddr_parse(STR(I), &r->local));
	assert_true(netaddr_parse(STR("198.51.100.7"), &r->listens[0]));
	assert_true(netaddr_parse(STR("2001:db8::7"), &r->listens[1]));
	r->ours = (struct relay_ours){.names = names,
	                              .name_count = LENGTH(names),
	                              .listens = r->listens,
	                              .listen_count = 2,
	                              .home = names[2]};
}

/* "-" where it is denied, "!" where it is no address at all. */
static struct str
decide(const char *path, const struct ours_room *r)
{
	struct str in = str_of(path);
	struct path to;
	struct str domain;

	if (path_parse(&in, PATH_OF_RECIPIENT, true, &to) != FAULT_none || in.n > 0)
		return STR("!");
	if (relay_authority(IDENTITY_STRANGER, &to, &r->ours, &r->local, &domain) !=
	    RELAY_LOCAL)
		return STR("-");
	return domain;
}

/* RELIABILITY 3: what a stranger may send to. */
static void
test_only_our_domains_are_local(void **unused)
{
	(void)unused;
	static const struct {
		const char *path;
		const char *domain;
	} rows[] = {
		{"<x@" L ">",                   L               },
		{"<x@OURS.Example>",            L               },
		{"<x@second.example>",          "second.example"},
		{"<x@" H ">",                   H               },
		{"<x@localhost>",               "localhost"     },
		{"<postmaster>",                L               },
		{"<x@[" I "]>",                 L               },
		{"<x@[127.0.0.1]>",             L               },
		{"<x@[127.9.9.9]>",             L               },
		{"<x@[IPv6:::1]>",              L               },
		{"<x@[198.51.100.7]>",          L               },
		{"<x@[IPv6:2001:DB8:0::7]>",    L               },
		{"<x@[IPv6:::ffff:127.0.0.1]>", L               },
		{"<x@[198.51.100.8]>",          "-"             },
		{"<x@[10.0.0.1]>",              "-"             },
		{"<x@[0.0.0.0]>",               "-"             },
		{"<x@[IPv6:::]>",               "-"             },
		{"<u@r.example>",               "-"             },
		{"<u@R.EXAMPLE>",               "-"             },
		{"<u@sub." L ">",               "-"             }, /* row 31: suffixes and prefixes are other domains */
		{"<u@" L ".r.example>",         "-"             },
		{"<u@x" L ">",                  "-"             },
		{"<u@our.example>",             "-"             },
		{"<u@" L "a>",                  "-"             },
		{"<u%r.example@" L ">",         L               }, /* rows 9-11: an odd local part of ours */
		{"<r.example!u@" L ">",         L               },
		{"<\"u@r.example\"@" L ">",     L               },
		{"<" L "!u@r.example>",         "-"             },
		{"<\"x@" L "\"@r.example>",     "-"             },
		{"<@" L ":u@r.example>",        "-"             }, /* row 20: a route through us */
		{"<@" L ",@" H ":u@r.example>", "-"             },
		{"<@r.example:x@" L ">",        L               },
		{"<u@r.example@" L ">",         "!"             },
		{"<u@" L "@r.example>",         "!"             },
		{"<>",			  "!"             },
	};
	struct ours_room r;

	make_ours(&r);
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_str(decide(rows[i].path, &r), str_of(rows[i].domain));
}

static void
test_without_domains_nothing_is_ours(void **unused)
{
	(void)unused;
	struct ours_room r;

	make_ours(&r);
	r.ours = (struct relay_ours){.names = NULL};
	assert_str(decide("<x@" L ">", &r), STR("-"));
	assert_str(decide("<x@[127.0.0.1]>", &r), STR("-"));
	assert_str(decide("<postmaster>", &r), STR("-"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_our_domains_are_local),
		cmocka_unit_test(test_without_domains_nothing_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
