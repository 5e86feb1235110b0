#include "store/index.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
