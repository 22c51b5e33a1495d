"""PCRE, which the case tables use, through the C library."""
import ctypes
import ctypes.util

_lib = None


def _library():
    global _lib
    if _lib is None:
        name = ctypes.util.find_library("pcre2-8") or "libpcre2-8.so.0"
        _lib = ctypes.CDLL(name)
        _lib.pcre2_compile_8.restype = ctypes.c_void_p
        _lib.pcre2_match_data_create_from_pattern_8.restype = ctypes.c_void_p
    return _lib


def finds(pattern, text):
    """Is |pattern| found somewhere in |text| (both str)?"""
    lib = _library()
    pattern, text = pattern.encode(), text.encode()
    error, offset = ctypes.c_int(), ctypes.c_size_t()
    code = lib.pcre2_compile_8(
        pattern, ctypes.c_size_t(len(pattern)), ctypes.c_uint32(0),
        ctypes.byref(error), ctypes.byref(offset), None)
    if not code:
        raise ValueError("no PCRE: %r" % pattern)
    code = ctypes.c_void_p(code)
    match = ctypes.c_void_p(
        lib.pcre2_match_data_create_from_pattern_8(code, None))
    n = lib.pcre2_match_8(
        code, text, ctypes.c_size_t(len(text)), ctypes.c_size_t(0),
        ctypes.c_uint32(0), match, None)
    lib.pcre2_match_data_free_8(match)
    lib.pcre2_code_free_8(code)
    return n >= 0
