import name // expect error
