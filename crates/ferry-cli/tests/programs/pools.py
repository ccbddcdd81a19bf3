"""Processes that import this program again, or are copies of it."""
import concurrent.futures
import multiprocessing
import sys


def square(number):
    return number * number, __name__


def fail(number):
    raise ValueError(f"bad {number}")


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(square, range(4)))
        try:
            pool.apply(fail, (3,))
        except ValueError as error:
            print("raised:", error)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        print(executor.submit(square, 5).result())
    queue = context.Queue()
    process = context.Process(target=queue.put, args=("hello",))
    process.start()
    print(queue.get())
    process.join()
    print(process.exitcode)
