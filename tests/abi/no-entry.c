/* no-entry.c - a shared object that is no plugin. */
int gantry_nothing(void);

int
gantry_nothing(void)
{
    return 0;
}
