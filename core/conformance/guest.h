/* guest.h - the plugin behind a border of its own: what a host passes in is copied there, as another host would
 * have it, and is taken away when the call has ended.
 *
 * Plugins are tried with longer structs and strides than they were compiled with, as those of a newer host, and with
 * memory that ends where a struct's size says, so that who reads on, or keeps a pointer, is caught. */
#ifndef CONFORMANCE_GUEST_H
#define CONFORMANCE_GUEST_H

#include "conformance_internal.h"

enum kit_guest_kind {
    KIT_GUEST_LONGER, /* every struct and stride is longer, with unknown fields that are not zero */
    KIT_GUEST_EXACT, /* every struct, array and text ends where its memory ends, and goes with the call */
};

/* Open the plugin in that way, as kit->backend, for body; the backend is closed afterwards. */
int kit_as_guest(struct kit *kit, enum kit_guest_kind kind, int (*body)(struct kit *kit));

#endif
