/*
 * A bounded list. See waiting.h.
 */
#include <stdlib.h>
#include <string.h>

#include "store/waiting.h"

struct waiting_at {
	struct waiting_at *next;
	uint64_t id;
	uint64_t at_us;
	size_t n;
	char octets[];
};

struct waiting {
	struct waiting_at *first;
	struct waiting_at **last;
	size_t count;
	size_t octets;
	size_t most;
	uint64_t lost;
};

struct waiting *
waiting_new(size_t most)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->most = most;
	w->last = &w->first;
	return w;
}

struct waiting *
waiting_free(struct waiting *w)
{
	if (w != NULL)
		waiting_drop(w, w->count);
	free(w);
	return NULL;
}

static size_t
octets_of(size_t n)
{
	return sizeof(struct waiting_at) + n;
}

void
waiting_put(struct waiting *w, const struct record *r)
{
	size_t octets = octets_of(r->fields.n);

	while (w->count > 0 && w->octets + octets > w->most) {
		waiting_drop(w, 1);
		w->lost++;
	}
	struct waiting_at *one = octets > w->most ? NULL : malloc(octets);
	if (one == NULL) {
		w->lost++;
		return;
	}
	*one = (struct waiting_at){.id = r->id, .at_us = r->at_us, .n = r->fields.n};
	if (one->n > 0)
		memcpy(one->octets, r->fields.p, one->n);
	*w->last = one;
	w->last = &one->next;
	w->count++;
	w->octets += octets;
}

void
waiting_drop(struct waiting *w, size_t count)
{
	for (; count > 0 && w->first != NULL; count--) {
		struct waiting_at *next = w->first->next;

		w->octets -= octets_of(w->first->n);
		w->count--;
		free(w->first);
		w->first = next;
	}
	if (w->first == NULL)
		w->last = &w->first;
}

size_t
waiting_count(const struct waiting *w)
{
	return w->count;
}

uint64_t
waiting_take_lost(struct waiting *w)
{
	uint64_t lost = w->lost;

	w->lost = 0;
	return lost;
}

bool
waiting_next(const struct waiting *w, const struct waiting_at **at, struct record *ret)
{
	*at = *at == NULL ? w->first : (*at)->next;
	if (*at == NULL)
		return false;
	*ret = (struct record){
		(*at)->id, (*at)->at_us, {(*at)->octets, (*at)->n}
        };
	return true;
}
