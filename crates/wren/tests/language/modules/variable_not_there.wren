import "meta" for Nothing // expect runtime error: Could not find a variable named 'Nothing' in module 'meta'.
