var a = 0x123456789012345678901 // expect error
