/*
 * The load: as many messages as a server returns, and what each of them costs it.
 *
 *   load tcp   HOST PORT PID SECONDS CONNECTIONS SIZE LINES
 *   load greet HOST PORT PID SECONDS CONNECTIONS
 *   load udp   HOST PORT PID SECONDS SOURCES SIZE WINDOW
 *   load idle  HOST PORT PID 0 CONNECTIONS
 *
 * The load never sleeps: a server would have to wake it, and pay for that the
 * more often the slower it is.
 *
 * Every connection has one message of SIZE bytes on its way, which counts as
 * LINES messages; every source has WINDOW datagrams on their way.  Prints the
 * number of messages, the seconds they took, and the seconds of processor time
 * which the processes of the session PID spent meanwhile; for "idle" the bytes of
 * memory that a connection takes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MAX_DATAGRAM 65536

/* After so long without an answer, datagrams are taken for lost: in seconds. */
#define LOST 0.05

static struct sockaddr_in server;
static int serverPid, epollFd;
static double seconds;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(clockid_t clock)
{
	struct timespec t;
	/* The clock of a process that has just ended tells nothing. */
	if (clock_gettime(clock, &t) < 0)
		return 0;
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * What the server has spent, in seconds: some servers are one process for each
 * connection.  The clock of a process is exact, but leaves out its children.
 */
static double spent(void)
{
	DIR *proc = opendir("/proc");
	double sum = 0;
	for (struct dirent *entry; (entry = readdir(proc));) {
		char path[300];
		int session;
		long user, system;
		clockid_t clock;
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		FILE *stat = atoi(entry->d_name) ? fopen(path, "r") : NULL;
		if (!stat)
			continue;
		int found = fscanf(stat,
				   "%*d (%*[^)]) %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u "
				   "%*u %*u %ld %ld", &session, &user, &system);
		fclose(stat);
		if (found != 3 || session != serverPid)
			continue;
		sum += (double)(user + system) / sysconf(_SC_CLK_TCK);
		if (!clock_getcpuclockid(atoi(entry->d_name), &clock))
			sum += now(clock);
	}
	closedir(proc);
	return sum;
}

/*
 * Whether to go on: for a quarter of the time to warm up, then for the time.  In
 * the end prints what was done in it.
 */
static int running(long *done)
{
	static double warm, start, before;
	double t = now(CLOCK_MONOTONIC);
	if (!warm)
		warm = t + seconds / 4;
	if (!start && t >= warm) {
		before = spent();
		start = now(CLOCK_MONOTONIC);
		*done = 0;
	}
	if (!start || t < start + seconds)
		return 1;
	if (!*done) {
		fprintf(stderr, "load: no answer\n");
		exit(1);
	}
	printf("%ld %.6f %.6f\n", *done, t - start, spent() - before);
	return 0;
}

static void watch(int fd, void *data, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = data};
	if (epoll_ctl(epollFd, operation, fd, &event) < 0)
		die("epoll_ctl");
}

static int open_socket(int kind)
{
	int fd = socket(AF_INET, kind, 0);
	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
		die("connect");
	return fd;
}

struct connection {
	int fd;
	int writing;
	size_t toSend, toReceive;
};

static char *message, *scratch;
static size_t size;

static void pump_out(struct connection *c)
{
	while (c->toSend) {
		ssize_t n = send(c->fd, message + size - c->toSend, c->toSend,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			if (errno != EAGAIN)
				die("send");
			break;
		}
		c->toSend -= n;
	}
	if (c->writing != (c->toSend > 0)) {
		c->writing = c->toSend > 0;
		watch(c->fd, c, EPOLLIN | (c->writing ? EPOLLOUT : 0), EPOLL_CTL_MOD);
	}
}

static void say(struct connection *c)
{
	c->toSend = c->toReceive = size;
	pump_out(c);
}

static void run_tcp(int connections, int lines)
{
	struct connection *all = calloc(connections, sizeof *all);
	struct epoll_event events[256];
	long done = 0;
	int i, one = 1, unanswered = connections;

	message = malloc(size);
	scratch = malloc(1 << 20);
	/* Lines of equal length, as text has them. */
	for (size_t at = 0; at < size; at++)
		message[at] = (at + 1) % (size / lines) ? 'x' : '\n';
	for (i = 0; i < connections; i++) {
		all[i].fd = open_socket(SOCK_STREAM);
		setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(all[i].fd, &all[i], EPOLLIN, EPOLL_CTL_ADD);
	}
	for (i = 0; i < connections; i++)
		say(&all[i]);
	/*
	 * What it takes to begin a session is not what a message takes: nobody goes
	 * on until all were answered once.
	 */
	while (unanswered || running(&done)) {
		int ready = epoll_wait(epollFd, events, 256, 0);
		for (i = 0; i < ready; i++) {
			struct connection *c = events[i].data.ptr;
			if (events[i].events & EPOLLOUT)
				pump_out(c);
			if (!(events[i].events & ~EPOLLOUT))
				continue;
			ssize_t n = recv(c->fd, scratch, 1 << 20, MSG_DONTWAIT);
			if (n == 0 || (n < 0 && errno != EAGAIN) || n > (ssize_t)c->toReceive) {
				fprintf(stderr, "load: %s\n",
					n < 0 ? strerror(errno) : n ? "too much" : "closed");
				exit(1);
			}
			if (n > 0)
				c->toReceive -= n;
			if (c->toReceive)
				continue;
			if (!unanswered) {
				done += lines;
				say(c);
			} else if (!--unanswered)
				for (int j = 0; j < connections; j++)
					say(&all[j]);
		}
	}
}

static void run_greet(int connections)
{
	char buffer[4096];
	long done = 0;
	struct pollfd *all = calloc(connections, sizeof *all);
	for (int i = 0; i < connections; i++)
		all[i] = (struct pollfd){open_socket(SOCK_STREAM), POLLIN, 0};
	while (running(&done)) {
		if (poll(all, connections, 0) < 0)
			die("poll");
		for (int i = 0; i < connections; i++)
			if (all[i].revents && recv(all[i].fd, buffer, sizeof buffer, 0) <= 0) {
				/* Closed first by the server: no TIME_WAIT here. */
				close(all[i].fd);
				all[i].fd = open_socket(SOCK_STREAM);
				done++;
			}
	}
}

static void run_udp(int sources, int window)
{
	static struct mmsghdr headers[BATCH];
	static struct iovec vectors[BATCH];
	struct epoll_event events[256];
	int *fds = calloc(sources, sizeof *fds), i;
	long received = 0;
	char *buffers = malloc((size_t)BATCH * MAX_DATAGRAM);

	for (i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){buffers + (size_t)i * MAX_DATAGRAM, MAX_DATAGRAM};
		headers[i].msg_hdr.msg_iov = &vectors[i];
		headers[i].msg_hdr.msg_iovlen = 1;
	}
	memset(buffers, 'x', (size_t)BATCH * MAX_DATAGRAM);
	for (i = 0; i < sources; i++) {
		fds[i] = open_socket(SOCK_DGRAM);
		watch(fds[i], &fds[i], EPOLLIN, EPOLL_CTL_ADD);
		for (int w = 0; w < window; w++)
			send(fds[i], buffers, size, 0);
	}
	double heard = now(CLOCK_MONOTONIC);
	while (running(&received)) {
		int ready = epoll_wait(epollFd, events, 256, 0);
		double t = now(CLOCK_MONOTONIC);
		if (!ready && t - heard > LOST)
			/* All were lost: begin again. */
			for (i = 0; i < sources; i++)
				send(fds[i], buffers, size, 0);
		if (ready || t - heard > LOST)
			heard = t;
		for (i = 0; i < ready; i++) {
			int fd = *(int *)events[i].data.ptr, n;
			for (int b = 0; b < BATCH; b++)
				vectors[b].iov_len = MAX_DATAGRAM;
			n = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
			if (n <= 0)
				continue;
			received += n;
			for (int b = 0; b < n; b++)
				vectors[b].iov_len = size;
			sendmmsg(fd, headers, n, MSG_DONTWAIT);
		}
	}
}

static long memory(void)
{
	char path[64];
	long pages, resident;
	snprintf(path, sizeof path, "/proc/%d/statm", serverPid);
	FILE *statm = fopen(path, "r");
	if (!statm || fscanf(statm, "%ld %ld", &pages, &resident) != 2)
		die(path);
	fclose(statm);
	return resident * sysconf(_SC_PAGESIZE);
}

static void run_idle(int connections)
{
	/* Each one has spoken once, so that it is more than accepted. */
	char line[] = "x\n";
	long before = memory();
	for (int i = 0; i < connections; i++) {
		int fd = open_socket(SOCK_STREAM);
		if (send(fd, line, 2, 0) != 2 || recv(fd, line, 2, MSG_WAITALL) != 2)
			die("idle");
	}
	printf("%d 0 0 %ld\n", connections, (memory() - before) / connections);
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: see load.c\n");
		return 2;
	}
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(argv[3]));
	inet_pton(AF_INET, argv[2], &server.sin_addr);
	serverPid = atoi(argv[4]);
	seconds = atof(argv[5]);
	int number = atoi(argv[6]);
	epollFd = epoll_create1(0);
	if (argc > 7)
		size = atol(argv[7]);
	if (!strcmp(argv[1], "tcp"))
		run_tcp(number, atoi(argv[8]));
	else if (!strcmp(argv[1], "greet"))
		run_greet(number);
	else if (!strcmp(argv[1], "udp"))
		run_udp(number, atoi(argv[8]));
	else
		run_idle(number);
	return 0;
}
