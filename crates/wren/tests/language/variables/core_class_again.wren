var List = 1 // expect error
