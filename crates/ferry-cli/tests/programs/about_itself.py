"""What looks a program's own things up by its module and file: pickle, inspect, dataclasses, typing."""
import dataclasses
import inspect
import linecache
import pickle
import typing


@dataclasses.dataclass
class Point:
    x: int
    y: "int" = 2


def described():
    """Has a text."""
    return Point(1)


point = pickle.loads(pickle.dumps(described()))
print(point, point == described(), type(point).__module__)
print(inspect.getsource(described))
print(inspect.getdoc(described), inspect.getmodule(Point), inspect.getsourcefile(Point))
print(typing.get_type_hints(Point))
print(linecache.getline(__file__, 1))
print([(frame.filename, frame.function, frame.code_context) for frame in inspect.stack()])
