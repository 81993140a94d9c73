/* Where podman.socket listens.  See podman.h.
 *
 * As the podman command has it: root's socket below /run; a user's in the folder of his session, else in the
 * one that Podman makes below /tmp when there is no session. */
#include "podman.h"

#include <stdlib.h>
#include <unistd.h>

#define PLACES 2

char *
podman_find_address(const char *runtime_dir, unsigned uid, char *advice, size_t size)
{
    char *places[PLACES] = {NULL, NULL};
    char *address = NULL;
    int made = 0, chosen = 0, count = 1;
    if (uid == 0) {
        made = asprintf(&places[0], "unix:///run/podman/podman.sock");
    } else if (runtime_dir) {
        made = asprintf(&places[0], "unix://%s/podman/podman.sock", runtime_dir);
        count = 2;
    }
    if (made >= 0 && uid != 0)
        made = asprintf(&places[count - 1], "unix:///tmp/podman-run-%u/podman/podman.sock", uid);
    if (made >= 0) {
        /* The first that is there; where none is, the first: it may come later. */
        while (chosen < count - 1 && access(places[chosen] + 7, F_OK) != 0)
            chosen++;
        if (access(places[chosen] + 7, F_OK) != 0)
            chosen = 0;
        snprintf(
            advice, size,
            "looked for '%s'%s%s%s; start it with 'systemctl %senable --now podman.socket', or "
            "set 'socket'",
            places[0] + 7, count > 1 ? " and '" : "", count > 1 ? places[1] + 7 : "",
            count > 1 ? "'" : "", uid == 0 ? "" : "--user ");
        address = places[chosen];
        places[chosen] = NULL;
    }
    for (int i = 0; i < PLACES; i++)
        free(places[i]);
    return address;
}
