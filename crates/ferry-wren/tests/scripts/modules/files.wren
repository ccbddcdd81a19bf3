// What Wren's command line has, with its names, results and errors.
import "io" for File, Directory, FileFlags, Stat, Stdin, Stdout
import "async" for Async


System.print(Fiber.new { File.read(1) }.try()) // expect: Path must be a string.
System.print(Fiber.new { Directory.list(1) }.try()) // expect: Path must be a string.
System.print(Fiber.new { Stat.path(null) }.try()) // expect: Path must be a string.
System.print(Fiber.new { File.openWithFlags("x", "y") }.try()) // expect: Flags must be an integer.
System.print(Fiber.new { File.openWithFlags("x", 1.5) }.try()) // expect: Flags must be an integer.
System.print(Fiber.new { File.openWithFlags("x", -1) }.try()) // expect: Flags cannot be negative.
System.print(Fiber.new { File.read("tests/nowhere.txt") }.try()) // expect: no such file or directory
System.print(Fiber.new { File.open("tests/nowhere.txt") }.try()) // expect: no such file or directory
System.print(Fiber.new { File.size("tests/nowhere.txt") }.try()) // expect: no such file or directory
System.print(Fiber.new { Directory.list("tests/nowhere") }.try()) // expect: no such file or directory
System.print(File.exists("tests/nowhere.txt")) // expect: false
System.print(File.exists("tests")) // expect: false
System.print(Directory.exists("tests")) // expect: true
System.print(Directory.exists("tests/files/three.txt")) // expect: false
System.print(File.exists("tests/files/three.txt")) // expect: true
System.print(File.read("tests/files/three.txt") == "one\ntwo\nthree\n") // expect: true
System.print(File.size("tests/files/three.txt")) // expect: 14
System.print(Directory.list("tests/files")) // expect: [three.txt]

var file = File.open("tests/files/three.txt")
System.print(file is File) // expect: true
System.print(file.isOpen) // expect: true
System.print(file.size) // expect: 14
System.print(file.readBytes(3)) // expect: one
System.print(file.readBytes(3, 4)) // expect: two
System.print(file.readBytes(100, 8) == "three\n") // expect: true
System.print(file.readBytes(5, 100) == "") // expect: true
System.print(Fiber.new { file.readBytes("x") }.try()) // expect: Count must be an integer.
System.print(Fiber.new { file.readBytes(1, -1) }.try()) // expect: Offset cannot be negative.
System.print(file.stat.isFile) // expect: true
System.print(file.stat.size) // expect: 14
System.print(file.close()) // expect: null
System.print(file.close()) // expect: null
System.print(file.isOpen) // expect: false
System.print(file.descriptor) // expect: -1
System.print(Fiber.new { file.size }.try()) // expect: File is not open.
System.print(Fiber.new { file.readBytes(1) }.try()) // expect: File is not open.
System.print(Fiber.new { file.stat }.try()) // expect: File is not open.

System.print(File.open("tests/files/three.txt") {|opened| opened.readBytes(3) }) // expect: one
var kept
System.print(Fiber.new {
  File.open("tests/files/three.txt") {|opened|
    kept = opened
    Fiber.abort("inside")
  }
}.try()) // expect: inside
System.print(kept.isOpen) // expect: false
System.print(Fiber.new { File.open("tests/files/three.txt") {|opened| opened.writeBytes("x") } }.try() is String) // expect: true

var stat = Stat.path("tests/files")
System.print(stat.isDirectory) // expect: true
System.print(stat.isFile) // expect: false
System.print(Fiber.new { Stat.path("tests/nowhere") }.try()) // expect: no such file or directory
System.print(FileFlags.readOnly | FileFlags.writeOnly | FileFlags.readWrite | FileFlags.sync | FileFlags.create | FileFlags.truncate | FileFlags.exclusive) // expect: 127
