/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent of a soak. `soak run` starts workers in three ways (static; dynamic with the shim;
 * dynamic without it), kills one now and then wherever it is and puts another in its slot, and is
 * idle before and after, so that the runner can measure the broker at rest. `soak work` is one
 * worker: random acts, alone, in threads, and in children that are killed.
 *
 *   soak list
 *   soak run ROOT SEED SECONDS WORKERS PACE_MS NAME=value …
 *   soak work ROOT SEED SLOT PACE_MS NAME=value …
 *
 * A wrong answer is told by the tally and on stderr.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "tests/live/escapes/sys.h"
#include "tests/soak/soak.h"

#define THREADS 3
#define THREAD_ACTS 4
#define SHIM_ROUNDS 3 /* every third worker: static, shim, no shim */

uint32_t actor_random(struct actor *actor, uint32_t below)
{
	/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
	actor->seed ^= actor->seed >> 12;
	actor->seed ^= actor->seed << 25;
	actor->seed ^= actor->seed >> 27;
	return (uint32_t)((actor->seed * 2685821657736338717ULL) >> 33) % below;
}

long actor_fact(const struct actor *actor, const char *name)
{
	size_t len = strlen(name);

	for (char **fact = actor->facts; *fact; fact++) {
		if (strncmp(*fact, name, len) == 0 && (*fact)[len] == '=')
			return strtol(*fact + len + 1, NULL, 10);
	}
	fprintf(stderr, "soak: no %s was given\n", name);
	exit(3);
}

char *actor_path(const struct actor *actor, const char *folder, const char *name, char buf[256])
{
	snprintf(buf, 256, "%s/%s/%d/%s", actor->root, folder, actor->slot, name);
	return buf;
}

static void complain(struct actor *actor, const struct kind *kind, int result)
{
	char story[TALLY_STORY];

	snprintf(story, sizeof(story), "soak: %s (slot %d, thread %d, pid %d): %s, expected %s\n",
		 kind->name, actor->slot, actor->thread, (int)getpid(),
		 result ? strerror(-result) : "success",
		 kind->error ? strerror(kind->error) : "success");
	if (atomic_fetch_add(&actor->tally->wrong, 1) == 0)
		memcpy(actor->tally->story, story, sizeof(story));
	fputs(story, stderr);
}

void actor_do(struct actor *actor, size_t number)
{
	const struct kind *kind = &kinds[number];

	atomic_fetch_add(&actor->tally->slots[actor->slot].begun[number], 1);
	int result = kind->act(actor);

	atomic_fetch_add(&actor->tally->slots[actor->slot].done[number], 1);
	if (result != -kind->error)
		complain(actor, kind, result);
}

static void *in_thread(void *arg)
{
	struct actor *actor = arg;

	for (int i = 0; i < THREAD_ACTS; i++)
		actor_do(actor, actor_random(actor, (uint32_t)kind_count));
	return NULL;
}

static void threads(const struct actor *actor)
{
	struct actor actors[THREADS];
	pthread_t ids[THREADS];
	int started = 0;

	for (; started < THREADS; started++) {
		actors[started] = *actor;
		actors[started].thread = started + 1;
		actors[started].seed += (uint64_t)started + 1;
		if (pthread_create(&ids[started], NULL, in_thread, &actors[started]) != 0)
			break;
	}
	while (started > 0)
		pthread_join(ids[--started], NULL);
}

/* A child that is killed in whichever of its acts it is. */
static void doomed(struct actor *actor)
{
	pid_t child = fork();

	if (child == 0) {
		actor_die_with_parent();
		actor->seed += 77;
		while (!atomic_load(&actor->tally->stop))
			actor_do(actor, actor_random(actor, (uint32_t)kind_count));
		_exit(0);
	}
	if (child < 0)
		return;
	usleep(actor_random(actor, 5000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	atomic_fetch_add(&actor->tally->deaths, 1);
}

static int work(struct actor *actor, uint32_t pace)
{
	while (!atomic_load(&actor->tally->stop)) {
		uint32_t way = actor_random(actor, 16);

		if (way == 0)
			threads(actor);
		else if (way == 1)
			doomed(actor);
		else
			actor_do(actor, actor_random(actor, (uint32_t)kind_count));
		usleep(1000 * actor_random(actor, 2 * pace + 1));
	}
	return 0;
}

/* The shim's own variable is handed on to every third worker only. */
static pid_t start(struct actor *actor, char **argv, int slot)
{
	char self[256], seed[32], number[16];
	char *none[] = {NULL}, *with[] = {NULL, NULL};
	char *preload = getenv("LD_PRELOAD");
	int way = slot % SHIM_ROUNDS;

	snprintf(self, sizeof(self), "%s/bin/%s", actor->root, way ? "soak" : "soak-static");
	snprintf(number, sizeof(number), "%d", slot);
	snprintf(seed, sizeof(seed), "%u", 1 + actor_random(actor, 1U << 30));
	if (preload)
		with[0] = preload - strlen("LD_PRELOAD=");
	/* argv: soak run ROOT SEED SECONDS WORKERS PACE facts */
	char *arguments[32] = {self, (char[]){"work"}, argv[2], seed, number, argv[6]};

	for (int i = 7; argv[i] && i < 30; i++)
		arguments[i - 1] = argv[i];
	atomic_fetch_add(&actor->tally->starts, 1);
	pid_t child = fork();

	if (child == 0) {
		execve(self, arguments, way == 1 ? with : none);
		fprintf(stderr, "soak: cannot start %s: %s\n", self, strerror(errno));
		_exit(3);
	}
	return child;
}

/* Tells that it is idle and waits for a line. */
static void idle(const char *word)
{
	char line[16];

	printf("%s\n", word);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(3);
}

static void storm(struct actor *actor, char **argv, time_t seconds, int workers)
{
	pid_t children[SLOTS_MAX] = {0};
	time_t end = time(NULL) + seconds;

	atomic_store(&actor->tally->stop, 0);
	for (int slot = 0; slot < workers; slot++)
		children[slot] = start(actor, argv, slot);
	while (time(NULL) < end) {
		int slot = (int)actor_random(actor, (uint32_t)workers);

		usleep(50000);
		kill(children[slot], SIGKILL);
		waitpid(children[slot], NULL, 0);
		atomic_fetch_add(&actor->tally->deaths, 1);
		children[slot] = start(actor, argv, slot);
	}
	atomic_store(&actor->tally->stop, 1);
	for (int slot = 0; slot < workers; slot++) {
		int status = 0;

		if (children[slot] > 0 && waitpid(children[slot], &status, 0) > 0 && status != 0)
			fprintf(stderr, "soak: worker %d ended with %#x\n", slot, status);
	}
}

static int run(struct actor *actor, char **argv)
{
	time_t seconds = strtol(argv[4], NULL, 10);
	int workers = (int)strtol(argv[5], NULL, 10);

	if (workers < 1 || workers > SLOTS_MAX)
		return 2;
	idle("begun");
	storm(actor, argv, seconds / 10 + 1, workers);
	idle("warm");
	storm(actor, argv, seconds, workers);
	idle("over");
	return atomic_load(&actor->tally->wrong) != 0;
}

static int list(void)
{
	for (size_t i = 0; i < kind_count; i++)
		printf("%s\t%d\t%s\t%s\n", kinds[i].name, kinds[i].error,
		       kinds[i].op ? kinds[i].op : "", kinds[i].query);
	return 0;
}

int main(int argc, char **argv)
{
	struct actor actor = {.slot = 0};
	char path[256];

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (argc < 7)
		return 2;
	bool runs = strcmp(argv[1], "run") == 0;

	actor.root = argv[2];
	actor.seed = strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
	actor.slot = runs ? 0 : (int)strtol(argv[4], NULL, 10);
	actor.facts = argv + (runs ? 7 : 6);
	snprintf(path, sizeof(path), "%s/free/tally", actor.root);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return 3;
	actor.tally = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (actor.tally == MAP_FAILED)
		return 3;
	return runs ? run(&actor, argv) : work(&actor, (uint32_t)strtoul(argv[5], NULL, 10));
}
