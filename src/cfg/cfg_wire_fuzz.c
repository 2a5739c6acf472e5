/*
 * Any octets as a configuration's wire form: refused, or what is read encodes to the very
 * octets it was read from, and every lookup in it ends.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cfg/cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str wire = {(const char *)data, size};
	struct cfg *c;
	struct err e;

	if (cfg_decode(wire, &c, &e) != RC_OK)
		return 0;
	char *room = malloc(size + 1);
	must(room != NULL);
	struct buf b = {.p = room, .cap = size + 1};
	must(cfg_encode(c, &b, &e) == RC_OK);
	must(str_eq(buf_str(&b), wire));
	for (unsigned i = 0; i < c->domain_count; i++) {
		must(cfg_domain_find(c, c->domains[i].name) == &c->domains[i]);
		must(cfg_domain_canonical(c, c->domains[i].name)->same_as.n == 0);
	}
	free(room);
	(void)cfg_free(c);
	return 0;
}
