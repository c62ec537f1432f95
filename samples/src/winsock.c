/* What does Winsock say on a machine whose network is down? */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>

int main(void)
{
    WSADATA data;
    printf("before start-up: %d", socket(AF_INET, SOCK_STREAM, 0) == INVALID_SOCKET);
    printf(" error %d\n", WSAGetLastError());
    printf("start-up %d, version %d.%d\n", WSAStartup(MAKEWORD(2, 2), &data), LOBYTE(data.wVersion), HIBYTE(data.wVersion));
    printf("socket: %d", socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) == INVALID_SOCKET);
    printf(" error %d\n", WSAGetLastError());
    printf("six: %d", socket(AF_INET6, SOCK_DGRAM, 0) == INVALID_SOCKET);
    printf(" error %d\n", WSAGetLastError());
    printf("close what is none: %d", closesocket(77));
    printf(" error %d\n", WSAGetLastError());
    printf("orders %04x %08lx\n", htons(0x1234), htonl(0x12345678));
    printf("clean-up %d\n", WSACleanup());
    return 0;
}
