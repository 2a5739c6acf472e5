/*
 * How fast batches are, apart from everything else: COUNT messages of SIZE octets, spread over
 * MAILBOXES mailboxes below FOLDER, synced every BATCH. Prints messages a second and CPU a
 * message. Not a test: run by hand, and by test/bench.
 *
 *   bench-deliver FOLDER [COUNT [SIZE [MAILBOXES [BATCH]]]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "deliver/batch.h"
#include "ipc/msg.h"

#define SIZE_MAX_OCTETS 61440

static char body[SIZE_MAX_OCTETS];

struct job {
	unsigned count;
	unsigned size;
	unsigned mailboxes;
	unsigned batch;
};

static unsigned
number(int argc, char **argv, int at, unsigned initial, unsigned most)
{
	uint64_t u = initial;

	if (at < argc && !str_u64(str_of(argv[at]), most, &u))
		(void)fprintf(stderr, "not a number up to %u: %s\n", most, argv[at]);
	return (unsigned)u;
}

static uint64_t
cpu_us(void)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_SELF, &ru);
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

static void
put(struct batch *b, const struct job *job, unsigned i, uint64_t hash)
{
	char mailbox[64];
	struct item_rcpt to = {.n = 0};
	struct mail m = {
		.id = ((uint64_t)i + 1) << 20,
		.seq = ((uint64_t)getpid() << 32) + i,
		.size = job->size,
		.hash = hash,
		.sender = STR("sender@example.net"),
		.body = {body, job->size},
		.body_fd = -1
        };

	(void)snprintf(mailbox, sizeof(mailbox), "user%u@example.org", i % job->mailboxes);
	to.mailbox = to.orig = str_of(mailbox);
	batch_put(b, &m, &to);
}

static bool
run(struct batch *b, const struct job *job)
{
	uint64_t hash = XXH3_64bits(body, job->size);
	struct err e;

	for (unsigned i = 0; i < job->count; i++) {
		put(b, job, i, hash);
		if (!batch_full(b) && batch_count(b) < job->batch && i + 1 < job->count)
			continue;
		if (batch_sync(b, &e) != RC_OK || batch_outcome(b, 0)->rc != RC_OK) {
			(void)fprintf(stderr, "failed: %s\n", batch_outcome(b, 0)->why);
			return false;
		}
		batch_clear(b);
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct job job = {number(argc, argv, 2, 100000, 10000000),
	                  number(argc, argv, 3, 4096, SIZE_MAX_OCTETS),
	                  number(argc, argv, 4, 1, 100000),
	                  number(argc, argv, 5, BATCH_MAX, BATCH_MAX)};
	struct batch *b;
	struct err e;

	if (argc < 2 || chdir(argv[1]) != 0 ||
	    batch_open(STR_NONE, (unsigned)getpid() % 1000, STR("mail.example.org"), NULL, &b,
	               &e) != RC_OK) {
		(void)fprintf(stderr, "usage: bench-deliver FOLDER [COUNT [SIZE [MAILBOXES "
		                      "[BATCH]]]]\n");
		return EXIT_FAILURE;
	}
	memset(body, 'x', sizeof(body));

	uint64_t began_ms = clock_mono_ms();
	bool done = run(b, &job);
	uint64_t took_ms = clock_mono_ms() - began_ms;

	(void)printf("%u messages of %u octets, %u mailboxes, a sync every %u: %" PRIu64
	             "/s, %.1f us CPU each\n",
	             job.count, job.size, job.mailboxes, job.batch,
	             (uint64_t)job.count * 1000 / (took_ms + 1), (double)cpu_us() / job.count);
	(void)batch_free(b);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
