var a = 1.5e // expect error
