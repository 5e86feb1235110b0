/* What systemd is told about the program's state: the protocol of sd_notify(3), a datagram to the
 * socket that the environment's NOTIFY_SOCKET names. Without that nothing is sent. */
#ifndef CAIRN_CLI_NOTIFY_H
#define CAIRN_CLI_NOTIFY_H

/* Sends lines such as "READY=1\nSTATUS=Serving." */
void notify(const char *lines);
/* Before and behind a reload: RELOADING=1 with the time that systemd asks for. */
void notify_reloading(void);
/* How often systemd wants to hear of the program (WATCHDOG_USEC), in milliseconds; 0: never. */
unsigned notify_watchdog_ms(void);

#endif
