/* A library that is no plugin. */
__attribute__((visibility("default"))) int SomethingElse(void);

int SomethingElse(void) { return 1; }
