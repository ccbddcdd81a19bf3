import "meta" for Meta
Meta.eval(1) // expect runtime error: Source code must be a string.
