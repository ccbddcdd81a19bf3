class Meta {
  static getModuleVariables(module) {
    if (!(module is String)) Fiber.abort("Module name must be a string.")
    return variables_(module) || Fiber.abort("Could not find a module named '%(module)'.")
  }

  static eval(source) {
    if (!(source is String)) Fiber.abort("Source code must be a string.")
    var closure = compile_(source, false)
    if (closure == null) Fiber.abort("Could not compile source code.")
    return closure.call()
  }

  static compile(source) {
    if (!(source is String)) Fiber.abort("Source code must be a string.")
    return compile_(source, false)
  }

  static compileExpression(source) {
    if (!(source is String)) Fiber.abort("Source code must be a string.")
    return compile_(source, true)
  }

  foreign static compile_(source, isExpression)
  foreign static variables_(module)
}
