/*
 * A request for metrics: HTTP/1.0 and 1.1 (RFC 9112), as little of it as a collector needs. No
 * body, no second request, nothing that two readers could understand in two ways.
 */
#ifndef CONTROL_HTTP_REQUEST_H
#define CONTROL_HTTP_REQUEST_H

#include "base/str.h"

#define HTTP_REQUEST_MAX 4096U /* octets of request line and fields */

/*
 * What to answer to <in>: 200, 400, 404, 405, 431 (it has HTTP_REQUEST_MAX octets, and no
 * end) or 505. 0: it goes on. What stands behind its end is not looked at. An answer other than
 * 0 stays the same whatever comes behind <in>.
 */
unsigned http_request_read(struct str in);

#endif
