/* The checks of 'cairn doctor', by what they look at. */
#ifndef CAIRN_CLI_DOCTOR_DOCTOR_H
#define CAIRN_CLI_DOCTOR_DOCTOR_H

#include "cli/args.h"
#include "cli/doctor/findings.h"
#include "config/config.h"

/* clock.c: this machine's clock, by chrony where it runs, and by the kernel. */
void doctor_clock(struct findings *findings);
/* machine.c: memory against the settings, open files, the disk of a folder. */
void doctor_machine(struct findings *findings, const struct config *config, const char *dir);
/* The bytes of all files below a folder. */
uint64_t doctor_folder_len(const char *dir);

/* folder.c: settings, secrets, certificates, and the ledger itself, if nobody has it open. Returns
 * the URL of the node that has it open, in new memory, or NULL. */
char *doctor_folder(struct findings *findings, const char *dir);
/* running.c: a node that serves, from outside. */
void doctor_running(struct findings *findings, const struct args *args, const char *url);

#endif
