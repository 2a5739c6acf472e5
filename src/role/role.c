/*
 * The life of a role. See role.h; master's half is src/master/.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "role/hostile.h"
#include "role/role.h"

#define FD_MASTER 3
#define FD_CONFIG 4
#define RELINK_TRIES 3 /* a successor is linked anyway, and there may be none */
#define RETIRE_MS 600000

static const struct timeval miss_wait = {.tv_sec = 1};

struct role_inside {
	const struct role_def *def;
	struct channel *master;
	struct cfg *cfg; /* the role's, whom it sees as constant */
	unsigned walls;
	struct channel *peers[PROC_COUNT][PEERS_MAX]; /* the newest to each */
	struct channel *older[PROC_COUNT][PEERS_MAX]; /* its last messages may still come */
	uint8_t tries[PROC_COUNT][PEERS_MAX];         /* to ask for a lost one again */
	struct event *miss;                           /* while one is missing */
	int status;
	bool over;
};

/* argv: name, index, uid, gid, folder, and the user whose home that is. All from master. */
struct birth {
	unsigned index;
	uid_t uid;
	gid_t gid;
	const char *folder;
	struct str user;
};

static bool
birth_of(int argc, char **argv, struct birth *ret)
{
	uint64_t index;
	uint64_t uid;
	uint64_t gid;

	if (argc < 5 || argc > 6 || !str_u64(str_of(argv[1]), PEERS_MAX - 1, &index) ||
	    !str_u64(str_of(argv[2]), UINT32_MAX - 1, &uid) ||
	    !str_u64(str_of(argv[3]), UINT32_MAX - 1, &gid))
		return false;
	*ret = (struct birth){(unsigned)index, (uid_t)uid, (gid_t)gid, argv[4],
	                      argc == 6 ? str_of(argv[5]) : STR_NONE};
	return true;
}

/* Mapped, for all who have the descriptor share one offset to read from. */
static enum rc
config_map(int fd, size_t octets, struct cfg **ret, struct err *e)
{
	char *p = mmap(NULL, octets, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return err_sys(e, "map the configuration");
	enum rc rc = cfg_decode((struct str){p, octets}, ret, e);
	(void)munmap(p, octets); /* cannot fail for what mmap gave */
	return rc;
}

static enum rc
config_take(struct cfg **ret, struct err *e)
{
	struct stat st;

	if (fstat(FD_CONFIG, &st) < 0)
		return err_sys(e, "the configuration from master");
	if (st.st_size <= 0 || st.st_size > (off_t)CFG_OCTETS_MAX)
		return err_set(e, RC_PERM,
		               "the configuration from master is empty or too long");
	enum rc rc = config_map(FD_CONFIG, (size_t)st.st_size, ret, e);
	(void)close(FD_CONFIG);
	return rc;
}

void
role_tick(struct role *r)
{
	r->now_ms = clock_mono_ms();
	r->wall_us = clock_wall_us();
}

void
role_quit(struct role *r, int status)
{
	r->inside->over = true;
	r->inside->status = status;
}

struct channel *
role_peer(const struct role *r, enum proc peer, unsigned index)
{
	return index < PEERS_MAX ? r->inside->peers[proc_number(peer)][index] : NULL;
}

enum rc
role_tell_master(const struct role *r, const struct msg *m, struct err *e)
{
	return channel_send(r->inside->master, m, e);
}

/* ---- channels to neighbours ---- */

static void
on_peer_got(void *arg, struct channel *c, const struct msg *m)
{
	struct role *r = arg;
	role_handler *handler = r->inside->def->handlers[m->no];

	role_tick(r);
	if (handler == NULL)
		channel_cut(c, "a message that is not for this role");
	else
		handler(r, c, m);
}

/* True while that neighbour is missing, and may come back. */
static bool
ask_for(struct role *r, unsigned peer, unsigned index)
{
	struct msg m = {
		.no = MSG_relink, .relink = {.peer = (uint8_t)peer, .index = (uint16_t)index}
        };
	struct err e;

	if (r->inside->tries[peer][index] == 0 || r->inside->peers[peer][index] != NULL)
		return false;
	r->inside->tries[peer][index]--;
	if (channel_send(r->inside->master, &m, &e) != RC_OK)
		log_say(LOG_WARN, "relink", e.text);
	return true;
}

/*
 * One that died is linked by master when it is replaced. But two that live may have cut each
 * other off, which nobody else knows: without asking they would stay apart.
 */
static void
on_missed(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	bool missing = false;

	(void)fd;
	(void)what;
	if (r->draining)
		return;
	for (unsigned peer = 0; peer < PROC_COUNT; peer++)
		for (unsigned i = 0; i < PEERS_MAX; i++)
			missing = ask_for(r, peer, i) || missing;
	if (missing)
		(void)evtimer_add(r->inside->miss, &miss_wait); /* no memory is needed */
}

static void
on_peer_down(void *arg, struct channel *c, const char *why)
{
	struct role *r = arg;
	struct channel **newest =
		&r->inside->peers[proc_number(channel_peer(c))][channel_index(c)];

	role_tick(r);
	/* master says that a role ended; what only we know is that one was cut off, and why */
	log_put(str_eq(str_of(why), STR("closed")) ? LOG_DEBUG : LOG_WARN, "peer_down",
	        KVS(kv_text("peer", proc_name(channel_peer(c))),
	            kv_num("index", channel_index(c)), kv_text("why", why)));
	if (r->inside->older[proc_number(channel_peer(c))][channel_index(c)] == c)
		r->inside->older[proc_number(channel_peer(c))][channel_index(c)] = NULL;
	if (*newest == c) {
		*newest = NULL;
		r->inside->tries[proc_number(channel_peer(c))][channel_index(c)] = RELINK_TRIES;
		(void)evtimer_add(r->inside->miss, &miss_wait); /* no memory is needed */
	}
	if (r->inside->def->peer_down != NULL)
		r->inside->def->peer_down(r, c);
	(void)channel_free(c);
}

/* ---- what master says ---- */

/* One that asks for links and never closes any would have all our descriptors. */
static void
keep_newest(struct role *r, unsigned peer, unsigned index, struct channel *c)
{
	struct channel **newest = &r->inside->peers[peer][index];
	struct channel **older = &r->inside->older[peer][index];

	if (*newest != NULL && *older != NULL)
		channel_cut(*older, "two newer ones came");
	if (*newest != NULL)
		*older = *newest;
	*newest = c;
}

static void
on_link(struct role *r, struct channel *master, const struct msg *m)
{
	enum proc peer = proc_of(m->link.peer);
	struct channel_use use = {on_peer_got, on_peer_down, r};

	if (!proc_linked(r->me, peer) || m->link.index >= PEERS_MAX) {
		(void)close(m->link.channel);
		channel_cut(master, "a link that the house does not have");
		return;
	}
	struct channel *c =
		channel_new(r->base, m->link.channel, r->me, peer, m->link.index, use);
	if (c == NULL) {
		log_say(LOG_ERROR, "link", "out of memory");
		role_quit(r, EX_OSERR);
		return;
	}
	keep_newest(r, m->link.peer, m->link.index, c);
	if (r->inside->def->peer_up != NULL)
		r->inside->def->peer_up(r, c);
}

static void
on_listener(struct role *r, struct channel *master, const struct msg *m)
{
	if (r->inside->def->listener != NULL) {
		r->inside->def->listener(r, m->listener.number, m->listener.socket);
		return;
	}
	(void)close(m->listener.socket);
	channel_cut(master, "a listener for a role that has none");
}

static void
on_begin(struct role *r, struct channel *master, const struct msg *m)
{
	(void)master;
	r->again = m->begin.again != 0;
	if (r->inside->def->begin != NULL)
		r->inside->def->begin(r);
}

static void
say_ready(struct role *r)
{
	struct msg m = {.no = MSG_ready, .ready = {.walls = r->inside->walls}};
	struct err e;

	if (channel_send(r->inside->master, &m, &e) != RC_OK) {
		log_say(LOG_ERROR, "ready", e.text);
		role_quit(r, EX_OSERR);
	}
}

static void
drain(struct role *r, uint64_t most_ms)
{
	if (r->draining)
		return;
	r->draining = true;
	if (r->inside->def->drain != NULL)
		r->inside->def->drain(r, most_ms);
	else
		role_quit(r, EX_OK);
}

static void
on_drain(struct role *r, struct channel *master, const struct msg *m)
{
	(void)master;
	drain(r, m->drain.most_ms);
}

static void
on_retire(struct role *r, struct channel *master, const struct msg *m)
{
	(void)master;
	(void)m;
	if (r->inside->def->retire != NULL)
		r->inside->def->retire(r);
	else
		drain(r, RETIRE_MS);
	say_ready(r);
}

static enum rc
reconfigure(struct role *r, const struct msg_config *m, struct err *e)
{
	struct cfg *next = NULL;

	if (m->octets == 0)
		return err_set(e, RC_PERM, "the configuration from master is empty");
	if (config_map(m->sealed, m->octets, &next, e) != RC_OK)
		return e->rc;
	if (r->inside->def->reconfigure != NULL &&
	    r->inside->def->reconfigure(r, next, e) != RC_OK) {
		(void)cfg_free(next);
		return e->rc;
	}
	(void)cfg_free(r->inside->cfg);
	r->inside->cfg = next;
	r->cfg = next;
	log_set_level((enum log_level)next->log_level);
	return RC_OK;
}

static void
on_config(struct role *r, struct channel *master, const struct msg *m)
{
	CLEANUP(fd_closep) int sealed = m->config.sealed;
	struct err e;

	(void)master;
	(void)sealed;
	if (reconfigure(r, &m->config, &e) == RC_OK) {
		say_ready(r);
		return;
	}
	log_say(LOG_ERROR, "config", e.text);
	role_quit(r, EX_OSERR);
}

static void
on_log_level(struct role *r, struct channel *master, const struct msg *m)
{
	(void)r;
	(void)master;
	log_set_level((enum log_level)m->log_level.level);
}

static role_handler *const from_master[MSG_NO_MAX] = {
	[MSG_link] = on_link,           [MSG_listener] = on_listener, [MSG_begin] = on_begin,
	[MSG_drain] = on_drain,         [MSG_retire] = on_retire,     [MSG_config] = on_config,
	[MSG_log_level] = on_log_level,
};

static void
on_master_got(void *arg, struct channel *c, const struct msg *m)
{
	struct role *r = arg;

	role_handler *handler = from_master[m->no] != NULL ? from_master[m->no]
	                                                   : r->inside->def->handlers[m->no];

	role_tick(r);
	if (handler == NULL)
		channel_cut(c, "a message that is not for this role");
	else
		handler(r, c, m);
}

/* Without master there is nobody to replace a neighbour: leave, what is durable stays so. */
static void
on_master_down(void *arg, struct channel *c, const char *why)
{
	struct role *r = arg;

	(void)c;
	log_say(LOG_WARN, "master_gone", why);
	role_quit(r, EX_UNAVAILABLE);
}

/* ---- birth, life ---- */

/* Ctrl-C and SIGTERM are master's to answer: it lets the roles finish in order. */
static void
ignore_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	for (size_t i = 0; i < LENGTH(ignored); i++)
		(void)signal(ignored[i], SIG_IGN); /* cannot fail for these */
}

static enum rc
role_birth(struct role *r, const struct birth *b, unsigned *ret_walls, struct err *e)
{
	const struct role_def *def = r->inside->def;
	const struct walls *w = r->user.n > 0 ? def->walls_of_user : def->walls;
	struct channel_use use = {on_master_got, on_master_down, r};

	if (close_range(FD_CONFIG + 1, ~0U, 0) < 0)
		return err_sys(e, "close what is not ours");
	/* before the walls: it makes descriptors and reads the environment */
	r->base = event_base_new();
	if (r->base == NULL || (r->inside->miss = evtimer_new(r->base, on_missed, r)) == NULL)
		return err_set(e, RC_TEMP, "make the event loop");
	r->inside->master = channel_new(r->base, FD_MASTER, r->me, MASTER, 0, use);
	if (r->inside->master == NULL)
		return err_set(e, RC_TEMP, "make the channel to master");
	if (walls_up(w, b->folder, b->uid, b->gid, ret_walls, e) != RC_OK)
		return err_in(e, "walls");
	role_tick(r);
	if (def->open != NULL)
		return def->open(r, e);
	return RC_OK;
}

/* What a user has in the home is no trouble of ours: it is said, and not tried again at once.
 */
static void
say_unable(const struct role *r, struct err *e)
{
	struct msg m = {.no = MSG_deliver_unable, .deliver_unable = {str_of(e->text)}};
	struct err ours;

	if (r->user.n == 0)
		return;
	if (r->inside->master != NULL && channel_send(r->inside->master, &m, &ours) != RC_OK)
		log_say(LOG_ERROR, "unable", ours.text);
	(void)err_in(e, "for %.*s", STR_FMT(r->user));
}

static void
role_live(struct role *r)
{
	while (!r->inside->over) {
		if (event_base_loop(r->base, EVLOOP_ONCE) < 0) {
			log_say(LOG_ERROR, "loop", "the event loop failed");
			role_quit(r, EX_OSERR);
		}
		role_tick(r);
		if (r->inside->def->turn != NULL)
			r->inside->def->turn(r);
		log_flush();
	}
	if (r->inside->def->close != NULL)
		r->inside->def->close(r);
	log_flush();
}

#if SANITIZED
/* It looks for leaks with a thread and ptrace, which no wall allows. */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int
role_main(const struct role_def *def, int argc, char **argv)
{
	static struct role_inside inside;
	struct birth birth;
	struct err e = {.rc = RC_OK};

#if SEKISHO_HOSTILE
	if (argc > 1 && str_eq(str_of(argv[1]), STR("hostile")))
		return hostile_main(argc == 6 ? def->walls_of_user : def->walls, argc, argv);
#endif
	log_open(STDERR_FILENO, proc_name(def->me), LOG_INFO);
	if (!birth_of(argc, argv, &birth) || (birth.user.n > 0 && def->walls_of_user == NULL)) {
		log_say(LOG_ERROR, "birth", "roles are started by sekisho run");
		log_flush();
		return EX_USAGE;
	}
	ignore_signals();
	inside = (struct role_inside){.def = def};
	struct role r = {
		.me = def->me, .index = birth.index, .user = birth.user, .inside = &inside};
	if (config_take(&inside.cfg, &e) == RC_OK) {
		r.cfg = inside.cfg;
		log_set_level((enum log_level)inside.cfg->log_level);
		(void)role_birth(&r, &birth, &inside.walls, &e);
	}
	if (e.rc != RC_OK) {
		say_unable(&r, &e);
		log_say(LOG_ERROR, "birth", e.text);
		log_flush();
		return e.rc == RC_PERM ? EX_CONFIG : EX_OSERR;
	}
	say_ready(&r);
	role_live(&r);
	return inside.status;
}
