import "meta" for Meta
Meta.getModuleVariables("nowhere") // expect runtime error: Could not find a module named 'nowhere'.
