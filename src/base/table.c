/*
 * Open addressing with linear probing; deletion shifts back, so there are no tombstones.
 * See table.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

struct table {
	size_t key_octets;
	size_t value_octets;
	size_t slot_octets; /* key, one octet "in use", value; key and value begin at 8n */
	size_t value_at;
	size_t places; /* a power of two, at least 4/3 of <most> */
	size_t most;
	size_t count;
	struct table_secret secret;
	unsigned char *slots;
};

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTL(v[1], 13) ^ v[0];
	v[0] = ROTL(v[0], 32);
	v[2] += v[3];
	v[3] = ROTL(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTL(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTL(v[1], 17) ^ v[2];
	v[2] = ROTL(v[2], 32);
}

uint64_t
siphash(struct table_secret secret, const void *p, size_t n)
{
	const unsigned char *in = p;
	uint64_t v[4] = {
		secret.k[0] ^ UINT64_C(0x736f6d6570736575),
		secret.k[1] ^ UINT64_C(0x646f72616e646f6d),
		secret.k[0] ^ UINT64_C(0x6c7967656e657261),
		secret.k[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t whole = n - n % 8;
	uint64_t last = (uint64_t)(n & 0xff) << 56;

	for (size_t i = 0; i < whole; i += 8) {
		uint64_t m = 0;

		for (unsigned j = 0; j < 8; j++)
			m |= (uint64_t)in[i + j] << (8 * j);
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t j = 0; j < n % 8; j++)
		last |= (uint64_t)in[whole + j] << (8 * j);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct table *
table_new(size_t key_octets, size_t value_octets, size_t most, struct table_secret secret)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->key_octets = key_octets;
	t->value_octets = value_octets;
	t->value_at = (1 + key_octets + 7) & ~(size_t)7;
	t->slot_octets = (t->value_at + value_octets + 7) & ~(size_t)7;
	t->most = most;
	t->secret = secret;
	t->places = 8;
	while (t->places < most + most / 3 + 1)
		t->places *= 2;
	t->slots = calloc(t->places, t->slot_octets);
	return t->slots == NULL ? table_free(t) : t;
}

static unsigned char *
slot_at(const struct table *t, size_t place)
{
	return t->slots + place * t->slot_octets;
}

static bool
used(const struct table *t, const unsigned char *slot)
{
	return slot[t->key_octets] != 0;
}

static size_t
home_of(const struct table *t, const void *key)
{
	return (size_t)siphash(t->secret, key, t->key_octets) & (t->places - 1);
}

/* The key's slot, or the free one where it would go. */
static size_t
place_of(const struct table *t, const void *key)
{
	size_t place = home_of(t, key);

	while (used(t, slot_at(t, place)) && memcmp(slot_at(t, place), key, t->key_octets) != 0)
		place = (place + 1) & (t->places - 1);
	return place;
}

void *
table_get(const struct table *t, const void *key)
{
	unsigned char *slot = slot_at(t, place_of(t, key));

	return used(t, slot) ? slot + t->value_at : NULL;
}

void *
table_put(struct table *t, const void *key)
{
	unsigned char *slot = slot_at(t, place_of(t, key));

	if (used(t, slot))
		return slot + t->value_at;
	if (t->count == t->most)
		return NULL;
	t->count++;
	memset(slot, 0, t->slot_octets);
	slot[t->key_octets] = 1;
	memcpy(slot, key, t->key_octets);
	return slot + t->value_at;
}

bool
table_drop(struct table *t, const void *key)
{
	size_t hole = place_of(t, key);

	if (!used(t, slot_at(t, hole)))
		return false;
	for (size_t next = (hole + 1) & (t->places - 1); used(t, slot_at(t, next));
	     next = (next + 1) & (t->places - 1)) {
		size_t home = home_of(t, slot_at(t, next));

		/* it may move back unless its home lies behind the hole */
		if (((next - home) & (t->places - 1)) >= ((next - hole) & (t->places - 1))) {
			memcpy(slot_at(t, hole), slot_at(t, next), t->slot_octets);
			hole = next;
		}
	}
	slot_at(t, hole)[t->key_octets] = 0;
	t->count--;
	return true;
}

size_t
table_count(const struct table *t)
{
	return t->count;
}

bool
table_next(const struct table *t, size_t *at, const void **ret_key, void **ret_value)
{
	for (; *at < t->places; (*at)++) {
		unsigned char *slot = slot_at(t, *at);

		if (!used(t, slot))
			continue;
		*ret_key = slot;
		*ret_value = slot + t->value_at;
		(*at)++;
		return true;
	}
	return false;
}

struct table *
table_free(struct table *t)
{
	if (t != NULL)
		free(t->slots);
	free(t);
	return NULL;
}
