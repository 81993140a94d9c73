/* A room that has no source yet still is a target. */
typedef int gantry_empty_room;
