// expect error line 3
"never ends
