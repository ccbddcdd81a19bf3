System.print("""no "escapes" \n here""") // expect: no "escapes" \n here
System.print("""
  a
    b
""")
// expect:   a
// expect:     b
System.print("""%(1 + 1)""") // expect: %(1 + 1)
