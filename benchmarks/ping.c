/*
 * What echoc ping --udp is compared with: sends COUNT datagrams of 64 bytes to
 * 127.0.0.1, one every INTERVAL microseconds, waits for each, and prints the
 * 50th, 90th, 99th and 99.9th percentile of the round-trip times in nanoseconds.
 *
 * Like echoc it takes the time just before it sends, and the time of arrival
 * from the kernel.
 *
 * Usage: ping PORT COUNT INTERVAL
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIZE 64
#define PERCENTILES 4
#define SECOND 1000000000LL

static long long now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static int compare(const void *one, const void *other)
{
    long long difference = *(const long long *)one - *(const long long *)other;

    return (difference > 0) - (difference < 0);
}

/* The index of a percentile by nearest rank, of a number in thousandths. */
static long rank(long percentile, long count)
{
    return (percentile * count + 999) / 1000 - 1;
}

static long long arrived(struct msghdr *message)
{
    struct cmsghdr *control;
    struct timespec time;

    for (control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control))
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&time, CMSG_DATA(control), sizeof time);
            return time.tv_sec * SECOND + time.tv_nsec;
        }
    fprintf(stderr, "ping: no timestamp\n");
    exit(1);
}

static const long percentiles[PERCENTILES] = {500, 900, 990, 999};

int main(int argc, char **argv)
{
    struct sockaddr_in server = {.sin_family = AF_INET};
    int on = 1, descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    long count, interval, number;
    long long start, *trips;

    if (argc != 4) {
        fprintf(stderr, "usage: ping PORT COUNT INTERVAL\n");
        return 2;
    }
    server.sin_port = htons(atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    count = atol(argv[2]);
    interval = atol(argv[3]);
    trips = calloc(count, sizeof *trips);
    if (!trips || setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)
        || connect(descriptor, (struct sockaddr *)&server, sizeof server)) {
        perror("ping");
        return 1;
    }
    start = now(CLOCK_MONOTONIC);
    for (number = 0; number < count; number++) {
        char probe[SIZE] = {0}, answer[SIZE], space[256];
        struct iovec vector = {answer, sizeof answer};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1,
                                 .msg_control = space, .msg_controllen = sizeof space};
        long long sent;

        while (now(CLOCK_MONOTONIC) < start + number * interval * 1000)
            ;
        sent = now(CLOCK_REALTIME);
        if (send(descriptor, probe, sizeof probe, 0) < 0 || recvmsg(descriptor, &message, 0) < 0) {
            perror("ping");
            return 1;
        }
        trips[number] = arrived(&message) - sent;
    }
    qsort(trips, count, sizeof *trips, compare);
    for (number = 0; number < PERCENTILES; number++)
        printf("%lld%c", trips[rank(percentiles[number], count)],
               number + 1 < PERCENTILES ? ' ' : '\n');
    return 0;
}
