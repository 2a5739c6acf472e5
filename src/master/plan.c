/*
 * Configurations in force. See plan.h.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "master/plan.h"

static enum rc
seal(const struct cfg *c, int *ret_fd, uint32_t *ret_octets, struct err *e)
{
	CLEANUP(fd_closep)
	int fd = memfd_create("sekisho-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *room = malloc(CFG_OCTETS_MAX);
	struct buf b = {.p = room, .cap = CFG_OCTETS_MAX};

	if (fd < 0 || room == NULL) {
		free(room);
		return err_sys(e, "room for the configuration");
	}
	e->rc = RC_OK;
	if (cfg_encode(c, &b, e) == RC_OK)
		e->rc = fd_write_all(fd, buf_str(&b), e);
	free(room);
	if (e->rc != RC_OK)
		return e->rc;
	*ret_octets = (uint32_t)b.n;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
	    0)
		return err_sys(e, "seal the configuration");
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

enum rc
plan_new(struct cfg *cfg, unsigned number, struct plan **ret, struct err *e)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)cfg_free(cfg);
		return err_set(e, RC_TEMP, "out of memory");
	}
	*p = (struct plan){.cfg = cfg, .fd = -1, .number = number, .holders = 1};
	if (seal(cfg, &p->fd, &p->octets, e) != RC_OK) {
		(void)plan_drop(p);
		return e->rc;
	}
	*ret = p;
	return RC_OK;
}

struct plan *
plan_hold(struct plan *p)
{
	p->holders++;
	return p;
}

struct plan *
plan_drop(struct plan *p)
{
	if (p == NULL || --p->holders > 0)
		return NULL;
	(void)cfg_free(p->cfg);
	fd_closep(&p->fd);
	free(p);
	return NULL;
}
