/* settings.h - what the manager makes of its settings: at first, and again when they are reloaded. */
#ifndef MANAGER_SETTINGS_H
#define MANAGER_SETTINGS_H

#include "manager_internal.h"

/* keys.c */
/* *out: owned; NULL: no key is given.  What is wrong with one is added to config's problems. */
MUST_CHECK int keys_read(struct config *config, struct crypto_ring **out,
                         struct gantry_error **err);

/* reload.c */
MUST_CHECK int settings_read(const struct gantry_manager *m, const struct config *running,
                             struct config **out, struct gantry_error **err);
MUST_CHECK int settings_open_log(struct config *config, struct log_output **out,
                                 struct log_sink *sink, bool *json, struct gantry_error **err);
void settings_take_log(struct gantry_manager *m, const struct config *config, bool json);
void settings_warn(struct gantry_manager *m);
void settings_reload(struct gantry_manager *m);

/* log_output.c */
MUST_CHECK int log_output_new(const struct config_log *settings, struct log_output **out,
                              struct log_sink *sink, bool *json, struct gantry_error **err);
void log_output_free(struct log_output *output);
/* What is written from now on goes where b went, and the other way round; log: of a's lines. */
void log_output_swap(struct log_output *a, struct log_output *b, struct log *log);

#endif
