import "os" for Platform, Process

System.print(Platform.name is String) // expect: true
System.print(Platform.isPosix is Bool) // expect: true
System.print(Platform.isWindows == (Platform.name == "Windows")) // expect: true
System.print(Process.arguments) // expect: [first, second]
System.print(Process.allArguments) // expect: [ferry, script.wren, first, second]
System.print(Process.version) // expect: 0.4.0
System.print(Process.cwd is String) // expect: true
System.print(Process.ppid is Num) // expect: true
System.print(Fiber.new { Process.exec("ferry-no-such-program") }.try()) // expect: Could not spawn process.
