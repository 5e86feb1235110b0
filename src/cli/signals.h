/* Signals of a program that serves: what it waits for, and the second one that ends it at once. */
#ifndef CAIRN_CLI_SIGNALS_H
#define CAIRN_CLI_SIGNALS_H

/* Blocks SIGTERM, SIGINT and SIGHUP, for threads to come as well; SIGPIPE is ignored. */
void signals_block(void);
/* Waits for one of the three, at most `wait_ms`; returns its number, or 0. */
int signals_wait(unsigned wait_ms);
/* From now on SIGTERM and SIGINT end the process at once, with status 128 and their number. What
 * was acknowledged is on the disk, so nothing is lost. */
void signals_exit_at_once(void);

#endif
