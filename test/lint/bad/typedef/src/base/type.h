#ifndef CAIRN_BASE_TYPE_H
#define CAIRN_BASE_TYPE_H
typedef struct thing thing_t;
typedef int (*handler)(struct thing *thing);
#endif
