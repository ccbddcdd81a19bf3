System.print("\"quoted\"") // expect: "quoted"
System.print("back\\slash") // expect: back\slash
System.print("per\%cent") // expect: per%cent
System.print("tab\tbed") // expect: tab	bed
System.print("\x41\x42") // expect: AB
System.print("\u00b6 \u0ca0") // expect: ¶ ಠ
System.print("\U0001f64a") // expect: 🙊
System.print("a\0b".bytes.count) // expect: 3
System.print("\a\b\e\f\r\v".bytes.toList) // expect: [7, 8, 27, 12, 13, 11]
