#include "base/test.h"
#include "proto/content.h"

/* STR for a table: gcc takes no compound literal as a constant. */
/* clang-format off */
#define LIT(literal) {"" literal, sizeof(literal) - 1}
/* clang-format on */

#define SMUGGLED \
	"MAIL FROM:<smuggled@attack.example>\r\nRCPT TO:<victim@ours.example>\r\nDATA\r\n"

/* RELIABILITY 2.1.1: all that anybody ever took for a line end. */
static const struct str line_ends[] = {
	LIT("\r\n"),     LIT("\n"),           LIT("\r"), LIT("\r\r\n"), LIT("\n\r"),
	LIT("\r\0\n"),   LIT("\r\n\0"),       LIT("\v"), LIT("\f"),     LIT("\x85"),
	LIT("\xc2\x85"), LIT("\xe2\x80\xa8"), LIT("\0"),
};

/* Dots that are none, and more than one. */
static const struct str dots[] = {
	LIT("."), LIT(".."), LIT(". "), LIT(".\t"), LIT("\xef\xbc\x8e"),
};

struct reading {
	struct content c;
	struct buf out;
	size_t taken;
	bool end;
	char room[1024];
};

static void
start(struct reading *r, enum content_kind kind)
{
	content_init(&r->c, kind);
	r->out = BUF_ON(r->room);
	r->taken = 0;
	r->end = false;
}

static void
piece(struct reading *r, struct str in)
{
	size_t was = in.n;

	if (r->end)
		return;
	r->end = content_take(&r->c, &in, &r->out);
	r->taken += was - in.n;
	assert_true(r->end || in.n == 0);
}

static void
whole(struct reading *r, enum content_kind kind, struct str in)
{
	start(r, kind);
	piece(r, in);
}

static bool
contains(const struct buf *b, struct str what)
{
	for (size_t i = 0; i + what.n <= b->n; i++)
		if (str_eq(str_slice(buf_str(b), i, i + what.n), what))
			return true;
	return false;
}

static bool
has_cr(const struct buf *b)
{
	return str_find(buf_str(b), '\r') < b->n;
}

/* One message, and what was to be smuggled is part of it, wherever the octets are cut. */
static void
stays_one(struct str in)
{
	struct reading all;
	struct reading cut;

	whole(&all, CONTENT_DATA, in);
	assert_true(all.end);
	assert_int_equal(all.taken, in.n);
	assert_false(has_cr(&all.out));
	assert_true(contains(&all.out, STR("MAIL FROM:<smuggled@attack.example>\n")));
	assert_true(contains(&all.out, STR("DATA\nsecond\n")));
	for (size_t at = 1; at < in.n; at++) {
		start(&cut, CONTENT_DATA);
		piece(&cut, str_slice(in, 0, at));
		assert_false(cut.end);
		piece(&cut, str_slice(in, at, in.n));
		assert_true(cut.end && str_eq(buf_str(&cut.out), buf_str(&all.out)));
	}
	start(&cut, CONTENT_DATA);
	for (size_t at = 0; at < in.n; at++)
		piece(&cut, str_slice(in, at, at + 1));
	assert_true(cut.end && str_eq(buf_str(&cut.out), buf_str(&all.out)));
}

static struct str
vector(struct buf *b, struct str a, struct str dot, struct str z)
{
	buf_clear(b);
	buf_add(b, STR("first"));
	buf_add(b, a);
	buf_add(b, dot);
	buf_add(b, z);
	buf_add(b, STR(SMUGGLED "second\r\n.\r\n"));
	assert_false(b->cut);
	return buf_str(b);
}

/* SMUG-01 */
static void
test_only_crlf_dot_crlf_ends_data(void **unused)
{
	(void)unused;
	char room[512];
	struct buf b = BUF_ON(room);

	for (size_t i = 0; i < LENGTH(line_ends); i++)
		for (size_t d = 0; d < LENGTH(dots); d++)
			for (size_t j = 0; j < LENGTH(line_ends); j++) {
				/* these two are the end: CR LF . CR LF, and the same
				 * with a NUL behind it, which the command parser meets */
				bool is_end = d == 0 && i == 0 && (j == 0 || j == 6);
				if (!is_end)
					stays_one(vector(&b, line_ends[i], dots[d],
					                 line_ends[j]));
			}
}

static void
test_what_stands_behind_the_end_is_not_content(void **unused)
{
	(void)unused;
	struct reading r;
	struct str in = STR("first\r\n.\r\n\0MAIL FROM:<>\r\n");

	whole(&r, CONTENT_DATA, in);
	assert_true(r.end);
	assert_int_equal(r.taken, 10);
	assert_string_equal(r.out.p, "first\n");
}

static size_t
count_lf(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

/* DESIGN: a stray LF is a line end and a stray CR a space; NUL stays. RFC 1870 §3: the dots of
 * the transfer are not of the message. */
static void
test_kept_form(void **unused)
{
	(void)unused;
	static const struct {
		struct str in;
		struct str out;
		unsigned bare_cr;
		unsigned bare_lf;
	} rows[] = {
		{LIT("a\r\nb\r\n.\r\n"),        LIT("a\nb\n"),     0, 0},
		{LIT("a\nb\r\n.\r\n"),          LIT("a\nb\n"),     0, 1},
		{LIT("a\rb\r\n.\r\n"),          LIT("a b\n"),      1, 0},
		{LIT("a\r\r\nb\r\n.\r\n"),      LIT("a \nb\n"),    1, 0},
		{LIT("a\r\r\r\nb\r\n.\r\n"),    LIT("a  \nb\n"),   2, 0},
		{LIT("a\r\0\nb\r\n.\r\n"),      LIT("a \0\nb\n"),  1, 1},
		{LIT("a\n\rb\r\n.\r\n"),        LIT("a\n b\n"),    1, 1},
		{LIT("a\0b\r\n.\r\n"),          LIT("a\0b\n"),     0, 0},
		{LIT("\xff\x85\r\n.\r\n"),      LIT("\xff\x85\n"), 0, 0},
		{LIT(".\r\n"),                  LIT(""),           0, 0}, /* a message of 0 octets */
		{LIT("\r\n.\r\n"),              LIT("\n"),         0, 0},
		{LIT("..\r\n.\r\n"),            LIT(".\n"),        0, 0}, /* RFC 5321 §4.5.2 */
		{LIT("...\r\n.\r\n"),           LIT("..\n"),       0, 0},
		{LIT(".a\r\n.\r\n"),            LIT("a\n"),        0, 0},
		{LIT("a\n..b\r\n.\r\n"),        LIT("a\n..b\n"),   0, 1}, /* no line of the transfer */
		{LIT("a\r\r\n..b\r\n.\r\n"),    LIT("a \n..b\n"),  1, 0},
		{LIT("a\r\n.\nb\r\n.\r\n"),     LIT("a\n\nb\n"),   0, 1},
		{LIT("a\r\n.\rb\r\n.\r\n"),     LIT("a\n b\n"),    1, 0},
		{LIT("a\r\n.\r\r\nb\r\n.\r\n"), LIT("a\n \nb\n"),  1, 0},
	};
	struct reading r;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		whole(&r, CONTENT_DATA, rows[i].in);
		assert_true(r.end);
		assert_int_equal(r.taken, rows[i].in.n);
		assert_true(str_eq(buf_str(&r.out), rows[i].out));
		assert_int_equal(r.c.bare_cr, rows[i].bare_cr);
		assert_int_equal(r.c.bare_lf, rows[i].bare_lf);
		/* all else that came is in <out>, but for the CR of each CR LF */
		assert_int_equal(r.c.framing,
		                 r.taken - r.out.n - (count_lf(&r.out) - rows[i].bare_lf));
	}
}

/* SMUG-04: BDAT has no dots, and its chunks are cut anywhere. */
static void
test_bdat_knows_no_dots(void **unused)
{
	(void)unused;
	static const struct {
		struct str first;
		struct str second;
		struct str out;
	} rows[] = {
		{LIT(".\r\n"),      LIT(""),      LIT(".\n")       },
		{LIT("a\r\n.\r\n"), LIT("b\r\n"), LIT("a\n.\nb\n") },
		{LIT("..a\r\n"),    LIT(""),      LIT("..a\n")     },
		{LIT("a\r"),        LIT("\nb"),   LIT("a\nb")      }, /* a line end over two chunks */
		{LIT("a\r"),        LIT(""),      LIT("a ")        },
		{LIT("a\r\r"),      LIT("\n"),    LIT("a \n")      },
		{LIT("a\r"),        LIT("b\nc"),  LIT("a b\nc")    },
		{LIT("\0\xff"),     LIT("\x80"),  LIT("\0\xff\x80")},
	};
	struct reading r;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		whole(&r, CONTENT_BDAT, rows[i].first);
		piece(&r, rows[i].second);
		assert_false(r.end);
		assert_true(content_finish(&r.c, &r.out));
		assert_true(str_eq(buf_str(&r.out), rows[i].out));
	}
}

/* Room for one octet at a time gives the same as room for all. */
static void
test_small_room_loses_nothing(void **unused)
{
	(void)unused;
	struct str in = STR("a\r\r\n\r.b\n\r\n..\r\n.c\r\n\r\n.\r\nNOOP\r\n");
	struct reading all;
	struct content c;
	char room[2];
	size_t at = 0;
	bool end = false;

	whole(&all, CONTENT_DATA, in);
	content_init(&c, CONTENT_DATA);
	while (!end) {
		struct buf out = BUF_ON(room);

		end = content_take(&c, &in, &out);
		assert_true(at + out.n <= all.out.n);
		assert_memory_equal(all.out.p + at, out.p, out.n);
		at += out.n;
	}
	assert_int_equal(at, all.out.n);
	assert_true(str_eq(in, STR("NOOP\r\n")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_crlf_dot_crlf_ends_data),
		cmocka_unit_test(test_what_stands_behind_the_end_is_not_content),
		cmocka_unit_test(test_kept_form),
		cmocka_unit_test(test_bdat_knows_no_dots),
		cmocka_unit_test(test_small_room_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
