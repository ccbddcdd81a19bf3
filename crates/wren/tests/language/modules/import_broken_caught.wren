System.print(Fiber.new {
  import "./helpers/broken"
}.try()) // expect: Could not compile module 'tests/language/modules/helpers/broken'.
