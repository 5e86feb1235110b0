#include "base/log.h"

void events(int n)
{
    log_event(LOG_INFO, "known.event", "n=%d", n);
    log_event(LOG_WARN, "known.event", "n=%d", n);
    log_event(LOG_INFO, "other.fields", "n=%d reason=\"%s\"", n, "why");
    log_event(LOG_INFO, "unknown.event",
              "n=%d", n);
    log_event(n ? LOG_INFO : LOG_WARN, "known.event", "n=%d", n);
    log_event(LOG_INFO, n ? "a.b" : "c.d", "n=%d", n);
    log_event(LOG_INFO, "known.event", "n=%5.2f", 1.0);
    /* log_event(LOG_INFO, "a.comment", "n=%d", n); */
}
