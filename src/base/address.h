/* Names of machines and organisations, as settings and join files write them. */
#ifndef CAIRN_BASE_ADDRESS_H
#define CAIRN_BASE_ADDRESS_H

#include "base/bytes.h"

#define ORGANISATION_MAX 32  /* bytes of its name */
#define ADDRESS_MAX      279 /* of HOST:PORT */
#define NODE_URL_MAX     300

/* Whether `name` is a DNS name of letters, digits, hyphens and dots, its last label no number. */
bool dns_name_ok(struct bytes name);
/* A DNS name, an IPv4 address, or an IPv6 address in brackets, and a port from 1 to 65,535 without
 * leading zeros: "node.example:26656". */
bool host_port_ok(struct bytes text);
/* http:// or https://, a host as above, a port or none; no path, no slash at the end. */
bool node_url_ok(struct bytes url);
/* 1 to 32 of a-z 0-9 and -, a letter or digit first and last. */
bool organisation_ok(struct bytes name);

#endif
