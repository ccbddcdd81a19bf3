var a = // expect error line 2
