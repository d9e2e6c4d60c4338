/* admin_impl.h: the API as one thing: its listener, its connections, what it may ask. */
#ifndef ADMIN_IMPL_H
#define ADMIN_IMPL_H

#include <larder/admin/admin.h>
#include <larder/net/listener.h>

struct admin {
    struct admin_config  config;
    struct listener      listener;
    struct list          conns;
    unsigned             conn_count;
    struct admin_metrics metrics;
};

#endif
