import "nowhere" // expect runtime error: Could not load module 'tests/language/modules/nowhere'.
