"""A compiled model as a shared library (quern/quern.h), from Python."""

import ctypes
import json
import sys

import numpy


class Tensor(ctypes.Structure):
    """`quern_tensor` of quern/quern.h."""
    _fields_ = [("dtype", ctypes.c_int), ("rank", ctypes.c_uint32), ("shape", ctypes.c_int64 * 8),
                ("data", ctypes.c_void_p), ("bytes", ctypes.c_uint64)]

    def __init__(self, array):
        super().__init__({"float32": 0, "int32": 1}[array.dtype.name], array.ndim, (ctypes.c_int64 * 8)(*array.shape),
                         array.ctypes.data, array.nbytes)


class Library:
    """An open session of a model."""

    def __init__(self, path, threads=0):
        self.library = ctypes.CDLL(path)
        self.library.quern_open.restype = self.library.quern_describe.restype = ctypes.c_void_p
        self.library.quern_make_room.restype = ctypes.c_int64
        self.library.quern_state_rows.restype = ctypes.c_int64
        self.handle = ctypes.c_void_p(self.library.quern_open(None, threads, None, 0))

    def get_rows(self):
        """How many rows of the caches a sequence may have."""
        return self.library.quern_state_rows(self.handle)

    def make_room(self, sequences):
        """Room for `sequences` sequences: how many rows lie between the first rows of two."""
        return self.library.quern_make_room(self.handle, ctypes.c_int64(sequences))

    def describe(self):
        size = ctypes.c_size_t()
        text = self.library.quern_describe(self.handle, ctypes.byref(size))
        return json.loads(ctypes.string_at(text, size.value))

    def run(self, entry, inputs, results):
        """Runs the entry of that number; fills `results`, arrays, and gives them."""
        error = ctypes.create_string_buffer(300)
        inputs = [numpy.ascontiguousarray(array) for array in inputs]
        status = self.library.quern_run(self.handle, entry, (Tensor * len(inputs))(*map(Tensor, inputs)),
                                        ctypes.c_size_t(len(inputs)), (Tensor * len(results))(*map(Tensor, results)),
                                        ctypes.c_size_t(len(results)), error, ctypes.c_size_t(300))
        if status:
            sys.exit(error.value.decode())
        return results

    def reset(self):
        self.library.quern_reset(self.handle)

    def close(self):
        self.library.quern_close(self.handle)
