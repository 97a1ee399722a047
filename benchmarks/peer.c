/*
 * What echod is compared with: the same in C, as simply as it is fast.
 *
 *   peer epoll|greet|recvmmsg|recvfrom PORT
 *
 * epoll is a TCP echo on one level-triggered epoll loop, which writes at once
 * and waits only when it must; greet a TCP greeting; recvmmsg and recvfrom UDP
 * echoes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define MAX_DATAGRAM 65536
#define READ (64 * 1024)

static char buffer[READ];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int bound(int kind, int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, fd = socket(AF_INET, kind, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		die("bind");
	if (kind == SOCK_STREAM && listen(fd, 4096) < 0)
		die("listen");
	return fd;
}

static void greet(int port)
{
	static const char words[] = "Thank you for connecting\r\n";
	int listener = bound(SOCK_STREAM, port);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		if (send(fd, words, sizeof words - 1, MSG_NOSIGNAL) < 0)
			perror("send");
		close(fd);
	}
}

/* What a peer has not taken yet; most never have any. */
struct session {
	int fd;
	char *rest;
	size_t size;
};

static void echo(int port)
{
	int listener = bound(SOCK_STREAM, port), loop = epoll_create1(0), one = 1;
	struct epoll_event event = {.events = EPOLLIN}, events[256];
	epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int ready = epoll_wait(loop, events, 256, -1);
		for (int i = 0; i < ready; i++) {
			struct session *s = events[i].data.ptr;
			if (!s) {
				int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
				if (fd < 0)
					continue;
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
				s = calloc(1, sizeof *s);
				s->fd = fd;
				event = (struct epoll_event){EPOLLIN, {.ptr = s}};
				epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
				continue;
			}
			if (s->size) {
				ssize_t n = send(s->fd, s->rest, s->size, MSG_NOSIGNAL);
				if (n > 0) {
					s->size -= n;
					memmove(s->rest, s->rest + n, s->size);
				}
				if (!s->size) {
					event = (struct epoll_event){EPOLLIN, {.ptr = s}};
					epoll_ctl(loop, EPOLL_CTL_MOD, s->fd, &event);
				}
				continue;
			}
			ssize_t n = recv(s->fd, buffer, READ, 0), sent;
			if (n <= 0) {
				if (n < 0 && errno == EAGAIN)
					continue;
				close(s->fd);
				free(s->rest);
				free(s);
				continue;
			}
			sent = send(s->fd, buffer, n, MSG_NOSIGNAL);
			if (sent < 0)
				sent = 0;
			if (sent < n) {
				s->rest = s->rest ? s->rest : malloc(READ);
				s->size = n - sent;
				memcpy(s->rest, buffer + sent, s->size);
				event = (struct epoll_event){EPOLLOUT, {.ptr = s}};
				epoll_ctl(loop, EPOLL_CTL_MOD, s->fd, &event);
			}
		}
	}
}

static void datagrams(int port, int batch)
{
	static struct mmsghdr headers[BATCH];
	static struct iovec vectors[BATCH];
	static struct sockaddr_in peers[BATCH];
	char *buffers = malloc((size_t)BATCH * MAX_DATAGRAM);
	int fd = bound(SOCK_DGRAM, port);
	for (;;) {
		if (batch == 1) {
			socklen_t length = sizeof peers[0];
			ssize_t n = recvfrom(fd, buffers, MAX_DATAGRAM, 0,
					     (struct sockaddr *)peers, &length);
			if (n >= 0)
				sendto(fd, buffers, n, 0, (struct sockaddr *)peers, length);
			continue;
		}
		for (int i = 0; i < batch; i++) {
			vectors[i] = (struct iovec){buffers + (size_t)i * MAX_DATAGRAM,
						    MAX_DATAGRAM};
			headers[i].msg_hdr = (struct msghdr){
				.msg_name = &peers[i], .msg_namelen = sizeof peers[i],
				.msg_iov = &vectors[i], .msg_iovlen = 1};
		}
		int n = recvmmsg(fd, headers, batch, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			vectors[i].iov_len = headers[i].msg_len;
		if (n > 0)
			sendmmsg(fd, headers, n, 0);
	}
}

int main(int argc, char **argv)
{
	int port = argc > 2 ? atoi(argv[2]) : 0;
	if (argc == 3 && !strcmp(argv[1], "epoll"))
		echo(port);
	else if (argc == 3 && !strcmp(argv[1], "greet"))
		greet(port);
	else if (argc == 3 && !strcmp(argv[1], "recvmmsg"))
		datagrams(port, BATCH);
	else if (argc == 3 && !strcmp(argv[1], "recvfrom"))
		datagrams(port, 1);
	fprintf(stderr, "usage: see peer.c\n");
	return 2;
}
