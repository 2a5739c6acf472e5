/* Base 64, RFC 4648: its vectors, and nothing but what was written is read. */
#include "base/base64.h"
#include "base/test.h"

static void
test_the_vectors_of_the_rfc(void **unused)
{
	(void)unused;
	static const struct {
		const char *octets;
		const char *text;
	} vectors[] = {
		{"",       ""        },
		{"f",      "Zg=="    },
		{"fo",     "Zm8="    },
		{"foo",    "Zm9v"    },
		{"foob",   "Zm9vYg=="},
		{"fooba",  "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < LENGTH(vectors); i++) {
		char room[16];
		char back[16];
		size_t n = 0;
		struct buf b = BUF_ON(room);

		base64_add(&b, str_of(vectors[i].octets));
		assert_string_equal(b.p, vectors[i].text);
		assert_true(base64_read(buf_str(&b), back, sizeof(back), &n));
		assert_true(str_eq((struct str){back, n}, str_of(vectors[i].octets)));
	}
}

static void
test_what_is_no_base64_is_refused(void **unused)
{
	(void)unused;
	static const char *const texts[] = {
		"Z",    "Zg",   "Zg=",      "Z===",     "====",  "Zm9v!m9v",
		"Zh==", "Zm9=", "Zg==Zg==", "Zm9vYm=y", "Zm9v\n"};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		char room[16];
		size_t n;

		if (base64_read(str_of(texts[i]), room, sizeof(room), &n))
			fail_msg("read: %s", texts[i]);
	}
}

static void
test_what_does_not_fit_is_left_out(void **unused)
{
	(void)unused;
	char room[8];
	size_t n;
	struct buf b = BUF_ON(room);

	base64_add(&b, STR("foobar"));
	assert_true(b.cut && b.n == 0);
	assert_false(base64_read(STR("Zm9vYmFy"), room, 5, &n));
	assert_true(base64_read(STR("Zm9vYmFy"), room, 6, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_vectors_of_the_rfc),
		cmocka_unit_test(test_what_is_no_base64_is_refused),
		cmocka_unit_test(test_what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
