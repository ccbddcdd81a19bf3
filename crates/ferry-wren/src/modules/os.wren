// The module "os", as Wren's command line has it.

class Platform {
  foreign static homePath
  foreign static isPosix
  foreign static name
  static isWindows { name == "Windows" }
}

class Process {
  foreign static allArguments
  static arguments { allArguments.count >= 2 ? allArguments[2..-1] : [] }
  foreign static cwd
  foreign static pid
  foreign static ppid
  foreign static version

  // Runs a program, and gives its exit code.
  static exec(command) { exec(command, []) }
  foreign static exec(command, arguments)
}
