/*
 * A sliding hour of sixty minutes for each user. See rates.h.
 */
#include <stdlib.h>
#include <string.h>

#include "state/rates.h"

#define MINUTES 60U
#define MINUTE_MS 60000U

struct user {
	uint64_t minute; /* the newest that is counted, of the clock */
	uint64_t sum;
	uint32_t counts[MINUTES]; /* minute m is at m % MINUTES */
};

struct rates {
	size_t most;
	struct table *users; /* uint32_t -> struct user */
};

struct rates *
rates_new(size_t most, struct table_secret secret)
{
	struct rates *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->most = most;
	r->users = table_new(sizeof(uint32_t), sizeof(struct user), most, secret);
	return r->users == NULL ? rates_free(r) : r;
}

struct rates *
rates_free(struct rates *r)
{
	if (r != NULL)
		(void)table_free(r->users);
	free(r);
	return NULL;
}

/* What is more than an hour old is forgotten. */
static void
slide(struct user *u, uint64_t minute)
{
	uint64_t passed = minute - u->minute;

	if (passed >= MINUTES) {
		memset(u->counts, 0, sizeof(u->counts));
		u->sum = 0;
		passed = 0;
	}
	for (uint64_t m = minute - passed + 1; m <= minute && passed > 0; m++) {
		u->sum -= u->counts[m % MINUTES];
		u->counts[m % MINUTES] = 0;
	}
	u->minute = minute;
}

/* Until the oldest minutes that fill it have passed. */
static uint32_t
wait_for(const struct user *u, uint64_t rate, uint64_t now_ms)
{
	uint64_t sum = u->sum;
	uint64_t minute = u->minute + 1; /* as far from now as it is from the oldest */

	for (; minute < u->minute + MINUTES; minute++) {
		sum -= u->counts[minute % MINUTES];
		if (sum < rate)
			break;
	}
	return (uint32_t)((minute * MINUTE_MS - now_ms + 999) / 1000);
}

/* Room for one more: those go who have sent nothing within the hour. */
static void
forget_idle(struct rates *r, uint64_t minute)
{
	uint32_t idle;
	bool found = true;

	while (found) {
		size_t at = 0;
		const void *key;
		void *value;

		found = false;
		while (!found && table_next(r->users, &at, &key, &value)) {
			const struct user *u = value;

			found = minute - u->minute >= MINUTES;
			idle = *(const uint32_t *)key;
		}
		if (found)
			(void)table_drop(r->users, &idle); /* it was there */
	}
}

uint32_t
rates_take(struct rates *r, uint32_t uid, uint64_t rate, uint64_t now_ms)
{
	uint64_t minute = now_ms / MINUTE_MS;

	if (table_count(r->users) == r->most && table_get(r->users, &uid) == NULL)
		forget_idle(r, minute);
	struct user *u = table_put(r->users, &uid);
	if (u == NULL)
		return MINUTE_MS / 1000; /* so many users at once: who has no count waits */
	slide(u, minute);
	if (u->sum >= rate)
		return wait_for(u, rate, now_ms);
	u->counts[minute % MINUTES]++;
	u->sum++;
	return 0;
}
