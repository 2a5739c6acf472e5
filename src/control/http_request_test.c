/* A request for metrics is one strict HTTP/1 request, and nothing else is one. */
#include "base/buf.h"
#include "base/test.h"
#include "control/http_request.h"

#define HOST "Host: localhost\r\n\r\n"

static const struct {
	const char *in;
	unsigned status;
} requests[] = {
	{"GET /metrics HTTP/1.1\r\n" HOST,						    200},
	{"GET /metrics HTTP/1.0\r\n\r\n",						     200},
	{"GET /metrics?x=y HTTP/1.1\r\n" HOST,						200},
	{"GET http://localhost:9100/metrics HTTP/1.1\r\n" HOST,                               200},
	{"GET /metrics HTTP/1.1\r\nhost:a\r\nAccept: text/plain;q=0.5\r\n\r\nGET / HTTP/1.1",
         200										     },
	{"GET /metrics HTTP/1.1\r\nContent-Length: 0\r\n" HOST,                               200},
	{"GET / HTTP/1.1\r\n" HOST,							   404},
	{"GET /metrics/ HTTP/1.1\r\n" HOST,						   404},
	{"GET http://localhost HTTP/1.1\r\n" HOST,                                            404},
	{"HEAD /metrics HTTP/1.1\r\n" HOST,						   405},
	{"OPTIONS * HTTP/1.1\r\n" HOST,						       405},
	{"GET /metrics HTTP/2.0\r\n",							 505},
	{"GET /metrics HTTP/1.1\r\n\r\n",						     400}, /* no Host */
	{"GET /metrics HTTP/1.1\r\nHost: a\r\n" HOST,                                         400}, /* two */
	{"GET /metrics HTTP/1.1\nHost: a\n\n",						400},
	{"GET /metrics\r\n\r\n",							      400}, /* HTTP/0.9 */
	{"GET  /metrics HTTP/1.1\r\n" HOST,						   400},
	{"GET /metrics HTTP/1.1 \r\n" HOST,						   400},
	{"get\t/metrics HTTP/1.1\r\n" HOST,						   400},
	{"GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n",                                         400},
	{"GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",                               400},
	{"GET /metrics HTTP/1.1\r\nHost: a\x01\r\n\r\n",                                      400},
	{"GET /metrics HTTP/1.1\r\nContent-Length: 1\r\n" HOST "x",                           400},
	{"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST,                      400},
	{"\x16\x03\x01\x02\r\n",							      400}, /* TLS */
	{"EHLO there\r\n",								    400},
	{"",										  0  },
	{"GET /metrics HTTP/1.1\r\nHost: a\r\n",                                              0  },
	{"GET /metrics HTTP/1.1\r\nHost: a\r\n\r",                                            0  },
};

static void
test_each_request_has_its_answer(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(requests); i++)
		if (http_request_read(str_of(requests[i].in)) != requests[i].status)
			fail_msg("%s: %u", requests[i].in,
			         http_request_read(str_of(requests[i].in)));
}

/* One that never ends is refused when it is too long, not before. */
static void
test_a_request_has_a_most(void **unused)
{
	(void)unused;
	static char room[HTTP_REQUEST_MAX + 100];
	struct buf b = BUF_ON(room);

	buf_add(&b, STR("GET /metrics HTTP/1.1\r\nX: "));
	while (b.n < HTTP_REQUEST_MAX - 1)
		buf_addc(&b, 'x');
	assert_int_equal(http_request_read(buf_str(&b)), 0);
	buf_addc(&b, 'x');
	assert_int_equal(http_request_read(buf_str(&b)), 431);
	buf_add(&b, STR("\r\n" HOST));
	assert_int_equal(http_request_read(buf_str(&b)), 431);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_request_has_its_answer),
		cmocka_unit_test(test_a_request_has_a_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
