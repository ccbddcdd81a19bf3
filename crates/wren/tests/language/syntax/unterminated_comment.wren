/* never ends /* twice */
// expect error line 3
