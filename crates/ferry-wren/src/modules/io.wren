// The module "io", as Wren's command line has it. What waits parks its own fiber.

class Check_ {
  static path(path) {
    if (!(path is String)) Fiber.abort("Path must be a string.")
  }

  static whole(value, name) {
    if (!(value is Num) || !value.isInteger) Fiber.abort("%(name) must be an integer.")
    if (value < 0) Fiber.abort("%(name) cannot be negative.")
  }
}

class Directory {
  static create(path) {
    Check_.path(path)
    return create_(path)
  }

  static delete(path) { remove(path) }
  static remove(path) {
    Check_.path(path)
    return remove_(path)
  }

  static exists(path) {
    Check_.path(path)
    return exists_(path)
  }

  static list(path) {
    Check_.path(path)
    return list_(path)
  }

  foreign static create_(path)
  foreign static remove_(path)
  foreign static exists_(path)
  foreign static list_(path)
}

class FileFlags {
  static readOnly { 0x01 }
  static writeOnly { 0x02 }
  static readWrite { 0x04 }
  static sync { 0x08 }
  static create { 0x10 }
  static truncate { 0x20 }
  static exclusive { 0x40 }
}

foreign class File {
  static create(path) {
    return openWithFlags(path, FileFlags.writeOnly | FileFlags.create | FileFlags.truncate)
  }

  static create(path, function) {
    return openWithFlags(path, FileFlags.writeOnly | FileFlags.create | FileFlags.truncate, function)
  }

  static delete(path) {
    Check_.path(path)
    return delete_(path)
  }

  static exists(path) {
    Check_.path(path)
    return exists_(path)
  }

  static open(path) { openWithFlags(path, FileFlags.readOnly) }
  static open(path, function) { openWithFlags(path, FileFlags.readOnly, function) }

  static openWithFlags(path, flags) {
    Check_.path(path)
    Check_.whole(flags, "Flags")
    return open_(path, flags)
  }

  // The file is closed at the end, whatever the function does.
  static openWithFlags(path, flags, function) {
    var file = openWithFlags(path, flags)
    var fiber = Fiber.new { function.call(file) }
    var result = fiber.try()
    file.close()
    if (fiber.error != null) Fiber.abort(fiber.error)
    return result
  }

  static read(path) {
    Check_.path(path)
    return read_(path)
  }

  static realPath(path) {
    Check_.path(path)
    return realPath_(path)
  }

  static size(path) {
    Check_.path(path)
    return size_(path)
  }

  isOpen { descriptor != -1 }
  foreign descriptor
  foreign close()

  size {
    ensureOpen_()
    return size_()
  }

  stat {
    ensureOpen_()
    return stat_()
  }

  readBytes(count) { readBytes(count, 0) }
  readBytes(count, offset) {
    ensureOpen_()
    Check_.whole(count, "Count")
    Check_.whole(offset, "Offset")
    return readBytes_(count, offset)
  }

  writeBytes(bytes) { writeBytes(bytes, size) }
  writeBytes(bytes, offset) {
    ensureOpen_()
    if (!(bytes is String)) Fiber.abort("Bytes must be a string.")
    Check_.whole(offset, "Offset")
    return writeBytes_(bytes, offset)
  }

  ensureOpen_() {
    if (!isOpen) Fiber.abort("File is not open.")
  }

  foreign static delete_(path)
  foreign static exists_(path)
  foreign static open_(path, flags)
  foreign static read_(path)
  foreign static realPath_(path)
  foreign static size_(path)
  foreign size_()
  foreign stat_()
  foreign readBytes_(count, offset)
  foreign writeBytes_(bytes, offset)
}

foreign class Stat {
  static path(path) {
    Check_.path(path)
    return path_(path)
  }

  foreign static path_(path)
  foreign blockCount
  foreign blockSize
  foreign device
  foreign group
  foreign inode
  foreign linkCount
  foreign mode
  foreign size
  foreign specialDevice
  foreign user
  foreign isFile
  foreign isDirectory
}

class Stdin {
  foreign static isRaw
  foreign static isRaw=(value)
  foreign static isTerminal
  foreign static readByte()
  foreign static readLine()
}

class Stdout {
  foreign static flush()
}
