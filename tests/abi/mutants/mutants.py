"""Mutants of the plugin that `gantry plugin new` writes.  Each is the template with one small change, by which it
breaks one promise of plugin.h.

A row: the mutant's name, the promise that must fail, and the change: pairs of what stands in the plugin (exactly
once) and what stands there instead."""

START = "static int demo_start("

# In remove().
HANDS_OVER = "    for EACH(o) if (o->old"
REMOVES = "    memset(w, 0, sizeof *w);\n" + HANDS_OVER

MUTANTS = [
    # start
    ("starts a second one beside its own", "start.own_unseen_is_unavailable", [
        ("        return gantry_has_labels(LABELS(o), ours, 2, sizeof ours[0])\n            ? FAIL(UNAVAILABLE, \"'%s' is there already\", o->name) : FAIL",
         "        if (!gantry_has_labels(LABELS(o), ours, 2, sizeof ours[0])) return FAIL")]),
    ("takes the name of a foreign one", "start.foreign_name_is_conflict", [
        ("        return gantry_has_labels(LABELS(o), ours, 2, sizeof ours[0])\n            ?", "        if (gantry_has_labels(LABELS(o), ours, 2, sizeof ours[0])) return"),
        (" : FAIL(CONFLICT, \"the name '%s' is taken\", o->name);", ";")]),
    ("knows a foreign one by its connector alone", "start.foreign_name_is_conflict", [
        ("gantry_has_labels(LABELS(o), ours, 2, sizeof ours[0])", "gantry_has_labels(LABELS(o), ours + 1, 1, sizeof ours[0])")]),
    ("removes the foreign one that has the name", "start.foreign_name_is_conflict", [
        (" FAIL(CONFLICT, \"the name '%s' is taken\", o->name);", " (memset(o, 0, sizeof *o), FAIL(CONFLICT, \"the name is taken\"));")]),
    ("forgets the labels", "start.keeps_what_the_spec_says", [
        (".labels = LABELS(w)}", ".labels = w->labels, 0, sizeof w->labels[0]}")]),
    ("keeps only the first labels", "start.keeps_what_the_spec_says", [
        ("i < spec->label_count; i++, w->label_count++", "i < spec->label_count && i < 2; i++, w->label_count++")]),
    ("gives all workloads one handle", "start.handles_differ", [
        ('"w%u", ++s->made', '"w%u", s->made')]),
    ("gives a new handle at each start", "start.existing_runs_again", [
        ("    if (old && spec) become", "    if (!spec) snprintf(w->handle, sizeof w->handle, \"w%u\", ++s->made);\n    if (old && spec) become")]),
    ("says that all is well where there is nothing to start", "start.existing_that_is_not_there", [
        ("if (rc == 0 && existing && !old) return emit(s, call, NULL, existing->handle);", "if (rc == 0 && existing && !old && !spec) return 0;")]),
    ("takes a missing image for a runtime that is away", "start.missing_image", [
        ("FAIL(IMAGE_MISSING", "FAIL(UNAVAILABLE")]),
    ("leaves a workload of an image that is missing", "start.missing_image", [
        ("    memset(w, 0, sizeof *w);\n    for (uint32_t", "    memset(w, 0, sizeof *w);\n    snprintf(w->handle, sizeof w->handle, \"w%u\", ++s->made);\n"
         "    snprintf(w->name, sizeof w->name, \"left-%u\", s->made);\n    for (uint32_t")]),
    ("ignores what emit says in start()", "start.emit_that_says_stop", [
        ("return (void)flags, emit(s, call, w, w->handle);", "return (void)flags, (void)emit(s, call, w, w->handle), 0;")]),
    # replace, S4
    ("stops the old one before it can make the new one", "replace.missing_image_changes_nothing", [
        ("    if (rc == 0 && spec) rc = w ?", "    if (rc == 0 && spec && old) become(old, GANTRY_STATE_EXITED);\n    if (rc == 0 && spec) rc = w ?")]),
    ("removes the old one in a replace", "replace.removing_the_new_one_keeps_the_old", [
        ("    if (old && spec) become(old, GANTRY_STATE_EXITED);", "    if (old && spec) memset(old, 0, sizeof *old);")]),
    ("leaves the old one running beside the new one", "replace.new_one_runs", [
        ("    if (old && spec) become(old, GANTRY_STATE_EXITED);\n", "")]),
    ("gives the new one the name at once", "replace.new_one_waits_for_the_name", [
        ('old ? "%s-new-%04x" : "%s"', 'old ? "%s%.0x" : "%s"'),
        ("strcpy(o->name, o->wanted)", "(void)0")]),
    ("loses the name in a replace", "replace.remove_gives_the_name_over", [
        ("strcpy(o->name, o->wanted)", "(void)0")]),
    ("gives the new one a name that somebody else bears", "replace.taken_name_stays_taken", [
        ("o->old == w && !find(s, NULL, o->wanted)", "o->old == w")]),
    ("makes a new one though the old one is not there", "replace.old_that_is_not_there", [
        ("if (rc == 0 && existing && !old) return", "if (rc == 0 && existing && !old && !spec) return")]),
    # stop
    ("does not stop", "stop.ends_it", [
        ("    if (rc == 0 && w) become(w, GANTRY_STATE_EXITED);\n    return (void)grace_ms", "    return (void)grace_ms, (void)w")]),
    ("says that a stopped one is paused", "inspect.state_follows", [
        ("    if (rc == 0 && w) become(w, GANTRY_STATE_EXITED);\n    return (void)grace_ms", "    if (rc == 0 && w) become(w, GANTRY_STATE_PAUSED);\n    return (void)grace_ms")]),
    ("cannot stop what is stopped", "stop.twice", [
        ("    int rc = reach(self, call);\n    if (rc == 0 && w) become(w,",
         "    struct demo_state *s = self;\n    int rc = reach(self, call);\n"
         "    if (rc == 0 && w && w->state != GANTRY_STATE_RUNNING) return FAIL(CONFLICT, \"'%s' does not run\", w->name);\n"
         "    if (rc == 0 && w) become(w,")]),
    ("cannot stop what is not there", "stop.not_there", [
        ("    int rc = reach(self, call);\n    if (rc == 0 && w) become(w,",
         "    int rc = reach(self, call);\n    if (rc == 0 && !w) return emit(self, call, NULL, ref->handle);\n    if (rc == 0 && w) become(w,")]),
    ("crashes when there is nothing to stop", "stop.not_there", [
        ("    if (rc == 0 && w) become(w, GANTRY_STATE_EXITED);\n    return (void)grace_ms", "    if (rc == 0) become(w, GANTRY_STATE_EXITED);\n    return (void)grace_ms")]),
    ("stops all that run", "stop.leaves_others", [
        ("    if (rc == 0 && w) become(w, GANTRY_STATE_EXITED);\n    return (void)grace_ms",
         "    struct demo_state *s = self;\n    for EACH(o) if (rc == 0 && w && o->handle[0]) become(o, GANTRY_STATE_EXITED);\n    return (void)grace_ms")]),
    # remove
    ("removes another manager's workload of that connector", "remove.leaves_foreign", [
        (REMOVES,
         "    const struct gantry_pair id = {GANTRY_LABEL_CONNECTOR, ref->id};\n"
         "    for EACH(o) if (ref->id && o->handle[0] && gantry_has_labels(LABELS(o), &id, 1, sizeof id)) memset(o, 0, sizeof *o);\n" + HANDS_OVER)]),
    ("removes all of its manager", "remove.leaves_others", [
        (REMOVES, "    for EACH(o) if (o->handle[0]) memset(o, 0, sizeof *o);\n" + HANDS_OVER)]),
    ("does not remove what runs", "remove.running_too", [
        (REMOVES, "    if (w->state == GANTRY_STATE_RUNNING) return FAIL(CONFLICT, \"'%s' runs\", w->name);\n" + REMOVES)]),
    ("cannot remove what is not there", "remove.twice", [
        ("    if (rc || !w) return rc;", "    if (rc || !w) return rc ? rc : emit(s, call, NULL, ref->handle);")]),
    ("does not remove", "remove.removes", [
        (REMOVES, "    w->state = GANTRY_STATE_EXITED;\n" + HANDS_OVER)]),
    ("leaves the name behind", "remove.frees_the_name", [
        (REMOVES, "    memset(w->labels, 0, sizeof w->labels), w->label_count = 0, snprintf(w->handle, sizeof w->handle, \"gone\");\n" + HANDS_OVER)]),
    # inspect and list
    ("takes an error for absence", "away.inspect", [
        ("    return rc ? rc : emit(self, call, find(self, ref->handle, NULL), ref->handle);", "    return emit(self, call, rc ? NULL : find(self, ref->handle, NULL), ref->handle);")]),
    ("lists nothing while the runtime is away", "away.list", [
        ("    for EACH(w) if (!rc", "    if (rc) return 0;\n    for EACH(w) if (!rc")]),
    ("believes that it has stopped what it cannot reach", "away.stop", [
        ("    return (void)grace_ms, rc;", "    return (void)grace_ms, 0;")]),
    ("believes that it has removed what it cannot reach", "away.remove", [
        ("    if (rc || !w) return rc;", "    if (rc || !w) return 0;")]),
    ("takes a refusal for an outage", "refused.is_denied", [
        ("FAIL(DENIED", "FAIL(UNAVAILABLE")]),
    ("knows what is not there", "inspect.not_found", [
        ('return FAIL(NOT_FOUND,', 'return FAIL(UNAVAILABLE,')]),
    ("never comes back from what is not there", "inspect.not_found", [
        ('    if (!w) return FAIL(NOT_FOUND', '    while (!w) {}\n    if (!w) return FAIL(NOT_FOUND')]),
    ("ignores what emit says in inspect()", "inspect.emit_that_says_stop", [
        ("    return rc ? rc : emit(self, call, find(self, ref->handle, NULL), ref->handle);",
         "    struct workload *w = find(self, ref->handle, NULL);\n    if (rc || !w) return rc ? rc : emit(self, call, w, ref->handle);\n    return (void)emit(self, call, w, ref->handle), 0;")]),
    ("leaves one out of a listing", "list.is_complete", [
        ("    for EACH(w) if (!rc && w->handle[0]", "    for EACH(w) if (!rc && w != s->all + 1 && w->handle[0]")]),
    ("lists nothing that is stopped", "list.stopped_too", [
        ("    for EACH(w) if (!rc && w->handle[0]", "    for EACH(w) if (!rc && w->state == GANTRY_STATE_RUNNING && w->handle[0]")]),
    ("lists what bears any of the labels", "list.bears_all_labels", [
        ("gantry_has_labels(LABELS(w), labels, count, stride)", "gantry_has_labels(LABELS(w), labels, 1, stride)")]),
    ("lists what other managers have", "list.other_managers_are_left_out", [
        ("gantry_has_labels(LABELS(w), labels, count, stride)", "gantry_has_labels(LABELS(w), labels + (count > 1), 1, stride)")]),
    ("compares the beginnings of labels", "list.values_are_compared_whole", [
        ("gantry_has_labels(LABELS(w), labels, count, stride)", "(strncmp(gantry_find_label(LABELS(w), labels->key) ? gantry_find_label(LABELS(w), labels->key) : \"\", labels->value, strlen(labels->value)) == 0 && (count == 1 || gantry_has_labels(LABELS(w), labels, 1, stride)))")]),
    ("cuts labels short", "list.odd_values", [
        ("strcpy(w->texts[i][1], l->value)};",
         "strcpy(w->texts[i][1], l->value)};\n        for (char *c = w->texts[i][1]; *c; c++) if (*c == ' ' || *c == '\"' || *c == '=') *c = '_';")]),
    ("goes on with a listing that was ended", "list.emit_that_says_stop", [
        ("stride)) rc = emit(", "stride)) (void)emit(")]),
    # logs
    ("repeats the last line", "logs.cursor_goes_on_after_its_line", [
        ('"%u", ++n);', '"%u", n++);')]),
    ("leaves the next line out", "logs.cursor_goes_on_after_its_line", [
        ('"%u", ++n);', '"%u", ++n + 1);')]),
    ("begins its cursors anew when the log is long", "logs.cursor_outlives_a_restart", [
        ("if (w->state != state) w->lines++, w->state = state;", "w->lines = w->lines > 12 ? 4 : w->lines + (w->state != state), w->state = state;")]),
    ("emits as many lines as there are", "logs.leave_out_the_oldest_lines", [
        ("fit = limits->max_lines ? limits->max_lines : 1000;", "fit = 1000;")]),
    ("leaves the newest lines out", "logs.leave_out_the_oldest_lines", [
        ("    for (n = n < skip || n > w->lines ? skip : n; rc == 0 && n < w->lines;) {",
         "    for (uint32_t end = skip ? n + fit : w->lines; rc == 0 && n < end;) {")]),
    ("ignores the limit of bytes", "logs.leave_out_the_oldest_bytes", [
        ("    if (limits->max_bytes && fit > limits->max_bytes / size) fit = (uint32_t)(limits->max_bytes / size);\n", "")]),
    ("ends a line without a word that it was cut", "logs.cut_long_lines", [
        ("        if (size != 30) memcpy(text + cut, \" [cut]\", 6);\n", "")]),
    ("loses the end of the log of what is stopped", "logs.of_a_stopped_one_stay", [
        ("if (w->state != state) w->lines++, w->state = state;", "w->lines = state == GANTRY_STATE_EXITED && w->lines > 12 ? 3 : w->lines + (w->state != state), w->state = state;")]),
    ("goes on with a log that was ended", "logs.end_when_emit_says_so", [
        ("        rc = gantry_emit_line(s->host, call, &line);", "        (void)gantry_emit_line(s->host, call, &line);")]),
    ("shows an empty log of what is not there", "logs.not_there", [
        ("    if (rc || !w) return rc ? rc : emit(s, call, NULL, ref->handle);\n    uint32_t n", "    if (rc || !w) return rc;\n    uint32_t n")]),
    # the end of a call
    ("does not hear that it is cancelled", "cancel.slow_pull", [
        ("gantry_wait(s->host, call, NULL, 0, 60000, 0);", "poll(NULL, 0, 60000);"),
        ("#include <stdlib.h>", "#include <poll.h>\n#include <stdlib.h>")]),
    ("does not hear that its time is over", "deadline.slow_pull", [
        ("gantry_wait(s->host, call, NULL, 0, 60000, 0);", "for (int i = 0; i < 600 && !gantry_cancelled(s->host, call); i++) poll(NULL, 0, 100);"),
        ("#include <stdlib.h>", "#include <poll.h>\n#include <stdlib.h>")]),
    ("leaves something half made when it is cancelled", "cancel.start", [
        ("    if (gantry_cancelled(s->host, call)) return",
         "    if (gantry_cancelled(s->host, call)) snprintf(w->handle, sizeof w->handle, \"w%u\", ++s->made), snprintf(w->name, sizeof w->name, \"half-%u\", s->made);\n"
         "    if (gantry_cancelled(s->host, call)) return")]),
    ("lets nothing run when a replace is cancelled", "cancel.replace", [
        ("    if (gantry_cancelled(s->host, call)) return", "    if (gantry_cancelled(s->host, call) && old) become(old, GANTRY_STATE_EXITED);\n    if (gantry_cancelled(s->host, call)) return")]),
    ("calls an end by its deadline absence", "deadline.slow_pull", [
        ("FAIL(TIMEOUT, \"'%s' is not pulled in time\"", "FAIL(IMAGE_MISSING, \"'%s' is not pulled in time\"")]),
    # threads
    ("reads an array as if it knew its stride", "host.newer_one_works", [
        ("GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i)", "spec->labels + i")]),
    ("asks for a field that an older host does not have", "host.without_extensions", [
        ("    s->host = host;", "    s->host = host;\n    s->made = *(const char *)gantry_extension(host, \"gantry.folder/1\") == 0;")]),
    ("keeps what it has borrowed", "host.memory_is_borrowed", [
        ("(struct gantry_pair){strcpy(w->texts[i][0], l->key), strcpy(w->texts[i][1], l->value)}", "*l")]),
    ("writes a secret into an error", "secrets.of_the_settings", [
        ("    struct workload all[64];", "    char token[80];\n    struct workload all[64];"),
        ("    s->host = host;", "    s->host = host;\n    snprintf(s->token, sizeof s->token, \"%s\", gantry_find_value(given, \"token\") ? gantry_find_value(given, \"token\")->text : \"\");"),
        ("FAIL(NOT_FOUND, \"there is no workload '%s'\", handle)", "FAIL(NOT_FOUND, \"'%s' does not let us see '%s'\", s->token, handle)")]),
    ("writes a workload's secrets into the log", "secrets.of_the_environment", [
        ("    if (gantry_cancelled(s->host, call)) return", "    for (uint32_t i = 0; i < spec->environment_count; i++)\n"
         "        gantry_log(s->host, call, GANTRY_LOG_DEBUG, \"with %s\", GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i)->value);\n"
         "    if (gantry_cancelled(s->host, call)) return")]),
    ("fails without saying on what", "errors.say_what_and_on_what", [
        ("FAIL(NOT_FOUND, \"there is no workload '%s'\", handle)", "FAIL(NOT_FOUND, \"there is none\")")]),
    ("needs a value that has no default", "errors.of_open_say_what", [
        ("s->offline = gantry_find_value(given, \"offline\") && ", "s->offline = ")]),
    ("says that it is parallel, and has no lock", "threads.many_workloads_at_once", [
        ("GANTRY_THREADS_SERIAL", "GANTRY_THREADS_PARALLEL"),
        ("    snprintf(w->handle, sizeof w->handle,", "    poll(NULL, 0, 1);\n    snprintf(w->handle, sizeof w->handle,"),
        ("#include <stdlib.h>", "#include <poll.h>\n#include <stdlib.h>")]),
    ("emits on a thread of its own", "threads.emit_and_http_where_entered", [
        ("#include <stdlib.h>", "#include <pthread.h>\n#include <stdlib.h>"),
        (START, """struct aside {
    struct demo_state *s;
    struct gantry_call *call;
    struct workload *w;
    int rc;
};

static void *emit_aside(void *context) {
    struct aside *a = context;
    a->rc = emit(a->s, a->call, a->w, a->w->handle);
    return NULL;
}

""" + START),
        ("    return rc ? rc : emit(self, call, find(self, ref->handle, NULL), ref->handle);", """    struct aside a = {self, call, find(self, ref->handle, NULL), 0};
    pthread_t thread;
    if (rc || !a.w || pthread_create(&thread, NULL, emit_aside, &a) != 0) return rc ? rc : emit(self, call, a.w, ref->handle);
    return pthread_join(thread, NULL), a.rc;""")]),
    # the process
    ("leaves a thread behind", "process.no_thread_is_left", [
        ("#include <stdlib.h>", "#include <poll.h>\n#include <pthread.h>\n#include <stdlib.h>"),
        ("static int demo_open(", "static void *linger(void *unused) {\n    poll(NULL, 0, -1);\n    return unused;\n}\n\nstatic int demo_open("),
        ("    s->host = host;", "    s->host = host;\n    pthread_t thread;\n    if (pthread_create(&thread, NULL, linger, NULL) == 0) pthread_detach(thread);")]),
    ("leaves a descriptor behind", "process.no_descriptor_is_left", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <unistd.h>"),
        ("    s->host = host;", "    s->host = host;\n    s->made = dup(0) < 0;")]),
    ("lets a child inherit a descriptor", "process.descriptors_are_not_inherited", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <unistd.h>"),
        ("    s->host = host;", "    s->host = host;\n    s->made = dup(0) < 0;")]),
    ("takes signals on a thread of its own", "process.threads_block_signals", [
        ("#include <stdlib.h>", "#include <poll.h>\n#include <pthread.h>\n#include <signal.h>\n#include <stdlib.h>"),
        ("static int demo_open(", "static void *linger(void *unused) {\n    poll(NULL, 0, -1);\n    return unused;\n}\n\nstatic int demo_open("),
        ("    s->host = host;", "    s->host = host;\n    pthread_t thread;\n    sigset_t none, before;\n    sigemptyset(&none);\n"
         "    pthread_sigmask(SIG_SETMASK, &none, &before);\n    if (pthread_create(&thread, NULL, linger, NULL) == 0) pthread_detach(thread);\n"
         "    pthread_sigmask(SIG_SETMASK, &before, NULL);")]),
    ("leaves a child behind", "process.no_child_is_left", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <unistd.h>"),
        ("    become(w, GANTRY_STATE_RUNNING);", "    become(w, GANTRY_STATE_RUNNING);\n    if (fork() == 0) {\n        sleep(20);\n        _exit(0);\n    }")]),
    ("waits for any child", "process.waits_for_its_own_children", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <sys/wait.h>"),
        ("    return rc ? rc : emit(self, call, find(self, ref->handle, NULL), ref->handle);", "    while (waitpid(-1, NULL, WNOHANG) > 0) {}\n    return rc ? rc : emit(self, call, find(self, ref->handle, NULL), ref->handle);")]),
    ("ignores SIGCHLD", "process.signals_are_left_alone", [
        ("#include <stdlib.h>", "#include <signal.h>\n#include <stdlib.h>"),
        ("    s->host = host;", "    s->host = host;\n    signal(SIGCHLD, SIG_IGN);")]),
    ("changes the working directory", "process.surroundings_are_left_alone", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <unistd.h>"),
        ("    s->host = host;", "    s->host = host;\n    if (chdir(\"/\") < 0) return GANTRY_E_INTERNAL;")]),
    ("changes the umask", "process.surroundings_are_left_alone", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <sys/stat.h>"),
        ("    become(w, GANTRY_STATE_RUNNING);", "    umask(0);\n    become(w, GANTRY_STATE_RUNNING);")]),
    ("writes to standard output", "process.writes_nothing", [
        ("    become(w, GANTRY_STATE_RUNNING);", "    puts(w->name);\n    fflush(stdout);\n    become(w, GANTRY_STATE_RUNNING);")]),
    ("leaks memory in inspect()", "leaks.reading", [
        ("    return rc ? rc : emit(self, call, find(self, ref->handle, NULL), ref->handle);", "    char *copy = malloc(strlen(ref->handle) + 1);\n    if (copy) strcpy(copy, ref->handle);\n    return rc ? rc : emit(self, call, find(self, copy ? copy : \"\", NULL), ref->handle);")]),
    ("leaks a descriptor at each start", "leaks.start_and_stop", [
        ("#include <stdlib.h>", "#include <stdlib.h>\n#include <unistd.h>"),
        ("    become(w, GANTRY_STATE_RUNNING);", "    s->made += dup(0) < 0;\n    become(w, GANTRY_STATE_RUNNING);")]),
    ("leaks what it has opened", "leaks.open", [
        (".close = free", ".close = demo_close"),
        (START, "static void demo_close(void *self) {\n    (void)self;\n}\n\n" + START)]),
    ("leaks a workload's memory when it is removed", "leaks.whole_lives", [
        (REMOVES, "    s->made += !malloc(64);\n" + REMOVES)]),
    # open and the table
    ("reaches for the runtime in open()", "open.contacts_nobody", [
        ("->text, \"wrong\") == 0;\n    return 0;", "->text, \"wrong\") == 0;\n    int rc = reach(s, call);\n    if (rc) free(s);\n    return rc;")]),
    ("has one state for all that is opened", "open.twice_side_by_side", [
        ("    struct demo_state *s = *self = calloc(1, sizeof *s);", "    static struct demo_state only;\n    struct demo_state *s = *self = &only;\n    memset(s, 0, sizeof *s);"),
        (".close = free", ".close = demo_close"),
        (START, "static void demo_close(void *self) {\n    (void)self;\n}\n\n" + START)]),
    ("cannot be opened again", "open.again_after_close", [
        ("    struct demo_state *s = *self = calloc(1, sizeof *s);", "    struct demo_state *s = *self = closed ? NULL : calloc(1, sizeof *s);"),
        (".close = free", ".close = demo_close"),
        (START, "static int closed;\nstatic void demo_close(void *self) {\n    closed = 1;\n    free(self);\n}\n\n" + START)]),
    ("exports one of its own functions", "table.exports_entry_alone", [
        (START, "GANTRY_API int demo_helper(void);\nint demo_helper(void) { return 0; }\n\n" + START)]),
    ("has a setting without a word of help", "table.settings_have_help", [
        (".fallback = \"no\", .help = \"be away\"", ".fallback = \"no\"")]),
    ("has another table each time", "table.entry_is_constant", [
        ("GANTRY_PLUGIN(demo_plugin)", "GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);\n"
         "const struct gantry_plugin *gantry_plugin_entry(void) {\n    struct gantry_plugin *p = malloc(sizeof *p);\n    return p ? *p = demo_plugin, p : NULL;\n}")]),
    ("has a summary of two lines", "table.texts_are_one_line", [
        ("as an example\"", "as\\nan example\"")]),
    # more of each
    ("takes another connector's workload for its own", "start.name_of_another_connector_is_conflict", [
        ("gantry_has_labels(LABELS(o), ours, 2, sizeof ours[0])", "gantry_has_labels(LABELS(o), ours, 1, sizeof ours[0])")]),
    ("does not replace what is stopped", "replace.stopped_one_too", [
        ("    if (rc == 0 && spec) rc = w ?", "    if (rc == 0 && spec && old && old->state != GANTRY_STATE_RUNNING) return FAIL(CONFLICT, \"'%s' is stopped\", old->name);\n    if (rc == 0 && spec) rc = w ?")]),
    ("cuts long names", "spec.longest_name", [
        ("\"%s-new-%04x\" : \"%s\"", "\"%.60s-new-%04x\" : \"%.60s\"")]),
    ("keeps the hash to itself", "inspect.tells_all", [
        (", .hash = w->hash", "")]),
    ("fails when there is nothing to list", "list.none_is_success", [
        ("rc = emit(s, call, w, \"\");\n    return rc;", "rc = emit(s, call, w, w->handle);\n    return rc || find(s, \"w1\", NULL) ? rc : FAIL(NOT_FOUND, \"there are none\");")]),
    ("takes a cursor that means nothing for absence", "logs.foreign_cursor", [
        ("    uint32_t skip", "    if (n > w->lines || (cursor && *cursor != '0' && n == 0)) return FAIL(NOT_FOUND, \"there is no line '%s'\", cursor);\n    uint32_t skip")]),
    ("shows nothing where there are no limits", "logs.without_limits", [
        ("fit = limits->max_lines ? limits->max_lines : 1000;", "fit = limits->max_lines;")]),
    ("shows an empty log while the runtime is away", "away.logs", [
        ("    if (rc || !w) return rc ? rc : emit(s, call, NULL, ref->handle);\n    uint32_t n", "    if (rc) return 0;\n    if (!w) return emit(s, call, NULL, ref->handle);\n    uint32_t n")]),
    ("says that what it cannot reach does not exist", "away.start_existing", [
        ("    if (rc == 0 && existing && !old) return", "    if (rc && existing) return emit(s, call, NULL, existing->handle);\n    if (rc == 0 && existing && !old) return")]),
    ("shows half a listing when it is cancelled", "cancel.list", [
        ("    for EACH(w) if (!rc && w->handle[0]", "    for EACH(w) if (!rc && w->handle[0] && !gantry_cancelled(s->host, call)")]),
    ("quotes a secret file in the log", "secrets.of_files", [
        ("    if (gantry_cancelled(s->host, call)) return", "    for (uint32_t i = 0; i < spec->file_count; i++) {\n"
         "        const struct gantry_file *f = GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);\n"
         "        gantry_log(s->host, call, GANTRY_LOG_DEBUG, \"%.*s\", (int)f->bytes_size, (const char *)f->bytes);\n    }\n"
         "    if (gantry_cancelled(s->host, call)) return")]),
    ("shows a registry's password in its progress", "secrets.of_the_registry", [
        ("    if (gantry_cancelled(s->host, call)) return", "    if (spec->registry) gantry_progress(s->host, call, spec->registry->password, 0, 0);\n"
         "    if (gantry_cancelled(s->host, call)) return")]),
]

# Slow ones, which break nothing: a row as above, with a promise that is kept.
KEPT = [
    ("takes four seconds to undo what was cancelled", "cancel.slow_pull", [
        ("    if (gantry_cancelled(s->host, call)) return", "    if (gantry_cancelled(s->host, call)) poll(NULL, 0, 4000);\n    if (gantry_cancelled(s->host, call)) return"),
        ("#include <stdlib.h>", "#include <poll.h>\n#include <stdlib.h>")]),
    ("takes four seconds to say that its time is over", "deadline.slow_pull", [
        ("    if (gantry_remaining_ms(s->host, call) <= 0) return", "    if (gantry_remaining_ms(s->host, call) <= 0) poll(NULL, 0, 4000);\n    if (gantry_remaining_ms(s->host, call) <= 0) return"),
        ("#include <stdlib.h>", "#include <poll.h>\n#include <stdlib.h>")]),
]
