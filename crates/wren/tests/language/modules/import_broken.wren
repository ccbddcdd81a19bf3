import "./helpers/broken" // expect runtime error: Could not compile module 'tests/language/modules/helpers/broken'.
