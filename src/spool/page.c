/*
 * body_ask: a message's body for the operator, a page at a time, as it was kept.
 */
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "proto/smtp.h"
#include "spool/spool.h"

#define PAGE_OCTETS 40960 /* body_answer of msg.def */

static enum rc
page_of_file(const struct mail_row *mail, uint64_t at, char *room, struct str *ret,
             struct err *e)
{
	CLEANUP(fd_closep) int fd = -1;

	if (body_open(mail->id, mail->size, &fd, e) != RC_OK)
		return e->rc;
	ssize_t n = pread(fd, room, PAGE_OCTETS, (off_t)at);
	if (n < 0)
		return err_sys(e, "read the body");
	*ret = (struct str){room, (size_t)n};
	return RC_OK;
}

static enum rc
page_of(struct spool *sp, const struct msg_body_ask *m, uint64_t *ret_size, struct str *ret,
        struct err *e)
{
	static char room[PAGE_OCTETS];
	struct mail_row mail;

	if (sp->broken)
		return err_set(e, RC_TEMP, "the spool cannot be read now");
	if (tables_mail(sp->tables, m->id, &mail, e) != RC_OK)
		return e->rc;
	*ret_size = mail.size & INT64_MAX;
	if ((mail.flags & MAIL_IN_FILE) != 0)
		return page_of_file(&mail, m->at, room, ret, e);
	*ret = str_slice(mail.body, m->at, m->at + PAGE_OCTETS);
	return RC_OK;
}

void
body_answer(struct spool *sp, struct channel *c, const struct msg_body_ask *m)
{
	struct msg answer = {
		.no = MSG_body_answer, .body_answer = {.ask = m->ask, .at = m->at}
        };
	struct msg_body_answer *a = &answer.body_answer;
	struct err e = {.text = ""};

	a->rc = (uint8_t)page_of(sp, m, &a->size, &a->octets, &e);
	a->text = a->rc == RC_OK ? STR_NONE : str_slice(str_of(e.text), 0, 240);
	if (channel_send(c, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "body_answer", e.text);
	tables_mail_end(sp->tables); /* the page is of the statement's row */
}
