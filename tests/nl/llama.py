"""llama.cpp's own grammar parser and matcher, through the C functions of llama.h that the package carries."""
import ctypes as c
import math

import xllamacpp.xllamacpp as lib
from tiny_model import BYTES


class Params(c.Structure):                                              # by value, larger than it is: only its maker and its reader know its members
    _fields_ = [("bytes", c.c_uint64 * 128)]


class Token(c.Structure):
    _fields_ = [("id", c.c_int32), ("logit", c.c_float), ("p", c.c_float)]


class Tokens(c.Structure):
    _fields_ = [("data", c.POINTER(Token)), ("size", c.c_size_t), ("selected", c.c_int64), ("sorted", c.c_bool)]


class Llama:
    def __init__(self, path):
        self.l = c.CDLL(lib.__file__)
        for name, result, args in [("llama_model_default_params", Params, []), ("llama_model_load_from_file", c.c_void_p, [c.c_char_p, Params]), ("llama_model_get_vocab", c.c_void_p, [c.c_void_p]),
                                   ("llama_sampler_init_grammar", c.c_void_p, [c.c_void_p, c.c_char_p, c.c_char_p]), ("llama_sampler_apply", None, [c.c_void_p, c.POINTER(Tokens)]),
                                   ("llama_sampler_accept", None, [c.c_void_p, c.c_int32]), ("llama_sampler_free", None, [c.c_void_p])]:
            f = getattr(self.l, name)
            f.restype, f.argtypes = result, args
        self.quiet = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)(lambda level, text, data: None)
        self.l.llama_log_set(self.quiet, None)
        self.l.llama_backend_init()
        self.model = self.l.llama_model_load_from_file(path.encode(), self.l.llama_model_default_params())
        if not self.model:
            raise RuntimeError("the model cannot be loaded")
        self.vocab = self.l.llama_model_get_vocab(self.model)

    def allowed(self, sampler, token):
        one = Token(token, 0.0, 0.0)
        array = Tokens(c.pointer(one), 1, -1, False)
        self.l.llama_sampler_apply(sampler, c.byref(array))
        return not math.isinf(one.logit)

    def accepts(self, grammar, text):
        """How many bytes of the text the grammar takes; True if all of it and it may end there."""
        s = self.l.llama_sampler_init_grammar(self.vocab, grammar.encode(), b"root")
        if not s:
            raise RuntimeError("llama.cpp does not parse the grammar")
        try:
            for i, b in enumerate(text):
                if not self.allowed(s, BYTES + b):
                    return i
                self.l.llama_sampler_accept(s, BYTES + b)
            return True if self.allowed(s, 2) else len(text)
        finally:
            self.l.llama_sampler_free(s)
