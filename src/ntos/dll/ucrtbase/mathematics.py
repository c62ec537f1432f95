"""math.h: the functions of one and two doubles, their float forms, classification and rounding.

Results are those of the host's correctly working libm; errno is EDOM outside a domain, ERANGE where a finite
argument gives infinity, as the UCRT sets it. `_matherr` of the program is not called for functions that
cannot fail.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from ntos.abi.pointer import Ptr
from ntos.abi.types import DOUBLE, FLOAT, INT, LONG, LONGLONG, PVOID, SHORT
from ntos.dll.ucrtbase.crt import crt, set_errno
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.um.thread import UserThread

INFINITY, NAN = math.inf, math.nan
INDEFINITE: float = struct.unpack("<d", b"\0\0\0\0\0\0\xf8\xff")[0]
"""What the processor makes of an invalid operation: a negative quiet NaN (printed as -nan(ind))."""
FP_NAN, FP_INFINITE, FP_ZERO, FP_SUBNORMAL, FP_NORMAL = 2, 1, 0, -2, -1


def single(value: float) -> float:
    """Rounded to a float."""
    try:
        result: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(INFINITY, value)
    return result


def evaluate(thread: UserThread, function: Callable[..., float], *arguments: float) -> float:
    """The function's value with C's answers where Python raises."""
    for value in arguments:
        if value != value:  # noqa: PLR0124 - a NaN goes through
            try:
                return function(*arguments)
            except (ValueError, OverflowError):
                return value
    try:
        result = function(*arguments)
    except OverflowError:
        set_errno(thread, ERRNO.ERANGE)
        return _overflow(function, *arguments)
    except (ValueError, ZeroDivisionError):
        return _outside(thread, function, *arguments)
    if math.isinf(result) and not any(map(math.isinf, arguments)):
        set_errno(thread, ERRNO.ERANGE)
    return result


def _overflow(function: Callable[..., float], *arguments: float) -> float:
    if function in {math.sinh, _cube}:
        return math.copysign(INFINITY, arguments[0])
    if function is power and arguments[0] < 0 and arguments[1] % 2 == 1:
        return -INFINITY
    if function is math.ldexp:
        return math.copysign(INFINITY, arguments[0])
    return INFINITY


def _outside(thread: UserThread, function: Callable[..., float], *arguments: float) -> float:
    first = arguments[0]
    pole = {math.log: 0.0, math.log10: 0.0, math.log2: 0.0, math.log1p: -1.0}.get(function)
    if pole is not None and first == pole:
        set_errno(thread, ERRNO.ERANGE)
        return -INFINITY
    if function is math.atanh and abs(first) == 1:
        set_errno(thread, ERRNO.ERANGE)
        return math.copysign(INFINITY, first)
    if function in {math.gamma, math.lgamma} and (first == 0 or function is math.lgamma):
        set_errno(thread, ERRNO.ERANGE)
        return math.copysign(INFINITY, first) if function is math.gamma else INFINITY
    set_errno(thread, ERRNO.EDOM)
    return INDEFINITE


def power(base: float, exponent: float) -> float:
    """pow: C's special cases; a pole where Python divides by zero."""
    if base == 0 and exponent < 0:
        odd = exponent == math.floor(exponent) and exponent % 2 == 1
        return math.copysign(INFINITY, base) if odd else INFINITY
    return math.pow(base, exponent)


def _cube(value: float) -> float:
    return math.copysign(abs(value) ** (1 / 3), value) if not hasattr(math, "cbrt") else math.cbrt(value)


def _exp2(value: float) -> float:
    return math.exp2(value) if hasattr(math, "exp2") else math.pow(2.0, value)


def rounded_even(value: float) -> float:
    """Rint in the default rounding mode."""
    if math.isinf(value) or value != value or abs(value) >= 2.0**52:  # noqa: PLR0124
        return value
    return math.copysign(float(round(value)), value)


def rounded_away(value: float) -> float:
    """round: halves away from zero."""
    if math.isinf(value) or value != value or abs(value) >= 2.0**52:  # noqa: PLR0124
        return value
    return math.copysign(math.floor(abs(value) + 0.5 if abs(value) != 0.49999999999999994 else 0.0), value)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    def whole(value: float) -> float:
        if math.isinf(value) or value != value:  # noqa: PLR0124
            return value
        return math.copysign(float(function(value)), value)

    return whole


def _exponent(value: float) -> float:
    """Logb."""
    if value == 0:
        raise OverflowError
    if math.isinf(value):
        return INFINITY
    return float(math.frexp(value)[1] - 1)


def _logb(value: float) -> float:
    return -INFINITY if value == 0 else _exponent(value)


def fractional(x: float, y: float) -> float:
    """Fmod."""
    return math.fmod(x, y)


ONE: dict[str, tuple[Callable[..., float], tuple[str, ...]]] = {
    "sin": (math.sin, ("sinf",)), "cos": (math.cos, ("cosf",)), "tan": (math.tan, ("tanf",)),
    "asin": (math.asin, ("asinf",)), "acos": (math.acos, ("acosf",)), "atan": (math.atan, ("atanf",)),
    "sinh": (math.sinh, ("sinhf",)), "cosh": (math.cosh, ("coshf",)), "tanh": (math.tanh, ("tanhf",)),
    "asinh": (math.asinh, ("asinhf",)), "acosh": (math.acosh, ("acoshf",)),
    "atanh": (math.atanh, ("atanhf",)),
    "exp": (math.exp, ("expf",)), "exp2": (_exp2, ("exp2f",)), "expm1": (math.expm1, ("expm1f",)),
    "log": (math.log, ("logf",)), "log10": (math.log10, ("log10f",)), "log2": (math.log2, ("log2f",)),
    "log1p": (math.log1p, ("log1pf",)), "sqrt": (math.sqrt, ("sqrtf",)), "cbrt": (_cube, ("cbrtf",)),
    "ceil": (_whole(math.ceil), ("ceilf",)), "floor": (_whole(math.floor), ("floorf",)),
    "trunc": (_whole(math.trunc), ("truncf",)), "round": (rounded_away, ("roundf",)),
    "rint": (rounded_even, ("rintf",)), "nearbyint": (rounded_even, ("nearbyintf",)), "fabs": (abs, ()),
    "erf": (math.erf, ("erff",)), "erfc": (math.erfc, ("erfcf",)), "tgamma": (math.gamma, ("tgammaf",)),
    "lgamma": (math.lgamma, ("lgammaf",)), "logb": (_logb, ("logbf",)),
}  # fmt: skip
LONG_DOUBLE = frozenset(
    [
        "acoshl",
        "asinhl",
        "atanhl",
        "cbrtl",
        "erfcl",
        "erfl",
        "exp2l",
        "expm1l",
        "lgammal",
        "log1pl",
        "log2l",
        "logbl",
        "nearbyintl",
        "rintl",
        "roundl",
        "tgammal",
        "truncl",
        "copysignl",
        "fdiml",
        "fmaxl",
        "fminl",
        "nextafterl",
        "remainderl",
        "nexttowardl",
    ]
)


def _minimum(x: float, y: float) -> float:
    return y if x != x else x if y != y else min(x, y)  # noqa: PLR0124


def _maximum(x: float, y: float) -> float:
    return y if x != x else x if y != y else max(x, y)  # noqa: PLR0124


def _positive_difference(x: float, y: float) -> float:
    return x - y if x > y else 0.0 if x == x and y == y else x + y  # noqa: PLR0124


TWO: dict[str, tuple[Callable[..., float], tuple[str, ...]]] = {
    "pow": (power, ("powf",)), "fmod": (fractional, ("fmodf",)), "atan2": (math.atan2, ("atan2f",)),
    "hypot": (math.hypot, ()), "copysign": (math.copysign, ("copysignf",)),
    "fdim": (_positive_difference, ("fdimf",)), "fmax": (_maximum, ("fmaxf",)),
    "fmin": (_minimum, ("fminf",)),
    "nextafter": (math.nextafter, ()), "remainder": (math.remainder, ("remainderf",)),
    "nexttoward": (math.nextafter, ()),
}  # fmt: skip
OLD_NAMES = {
    "hypot": ("_hypot",),
    "copysign": ("_copysign",),
    "logb": ("_logb",),
    "nextafter": ("_nextafter",),
}


def _declare_one(name: str, function: Callable[..., float], floats: tuple[str, ...]) -> None:
    def double(thread: UserThread, x: DOUBLE) -> DOUBLE:
        """The function of a double."""
        return DOUBLE(evaluate(thread, function, x))

    def narrow(thread: UserThread, x: FLOAT) -> FLOAT:
        """The function of a float."""
        return FLOAT(single(evaluate(thread, function, x)))

    longer = (name + "l",) if name + "l" in LONG_DOUBLE else ()
    crt(name=name, aliases=(*longer, *OLD_NAMES.get(name, ())))(double)
    for spelling in floats:
        old = ("_logbf",) if name == "logb" else ()
        crt(name=spelling, aliases=old)(narrow)


def _declare_two(name: str, function: Callable[..., float], floats: tuple[str, ...]) -> None:
    def double(thread: UserThread, x: DOUBLE, y: DOUBLE) -> DOUBLE:
        """The function of two doubles."""
        return DOUBLE(evaluate(thread, function, x, y))

    def narrow(thread: UserThread, x: FLOAT, y: FLOAT) -> FLOAT:
        """The function of two floats."""
        return FLOAT(single(evaluate(thread, function, x, y)))

    longer = (name + "l",) if name + "l" in LONG_DOUBLE else ()
    crt(name=name, aliases=(*longer, *OLD_NAMES.get(name, ())))(double)
    for spelling in floats:
        old = {"copysign": ("_copysignf",)}.get(name, ())
        crt(name=spelling, aliases=old)(narrow)


for _name, (_function, _floats) in ONE.items():
    _declare_one(_name, _function, _floats)
for _name, (_function, _floats) in TWO.items():
    _declare_two(_name, _function, _floats)


@crt
def _hypotf(thread: UserThread, x: FLOAT, y: FLOAT) -> FLOAT:
    """The length of a vector."""
    return FLOAT(single(evaluate(thread, math.hypot, x, y)))


@crt(aliases=("_nextafterf", "nexttowardf"))
def nextafterf(thread: UserThread, x: FLOAT, y: FLOAT) -> FLOAT:
    """The neighbouring float."""
    if x != x or y != y or x == y:  # noqa: PLR0124
        return FLOAT(y)
    bits: int = struct.unpack("<i", struct.pack("<f", x))[0]
    if not x:
        return FLOAT(math.copysign(single(1.401298464324817e-45), y))
    bits += 1 if (y > x) == (x > 0) else -1
    return FLOAT(struct.unpack("<f", struct.pack("<i", bits))[0])


# ------------------------------------------------------------------------------ to integers


def _declare_rounding(name: str, function: Callable[[float], float], bits: int) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def converted(thread: UserThread, value: float) -> int:
        result = function(value)
        if result != result or math.isinf(result) or not low <= result <= high:  # noqa: PLR0124
            set_errno(thread, ERRNO.EDOM)
            return low if "rint" in name else 0
        return int(result)

    def double(thread: UserThread, x: DOUBLE) -> LONGLONG:
        """A double as an integer; EDOM where it does not fit."""
        return LONGLONG(converted(thread, x))

    def narrow(thread: UserThread, x: FLOAT) -> LONGLONG:
        """A float as an integer; EDOM where it does not fit."""
        return LONGLONG(converted(thread, x))

    crt(name=name, aliases=(name + "l",))(double)
    crt(name=name + "f")(narrow)


_declare_rounding("lrint", rounded_even, 32)
_declare_rounding("llrint", rounded_even, 64)
_declare_rounding("lround", rounded_away, 32)
_declare_rounding("llround", rounded_away, 64)


@crt(aliases=("ilogbl",))
def ilogb(thread: UserThread, x: DOUBLE) -> INT:
    """The exponent."""
    return INT(_integer_exponent(thread, x))


@crt
def ilogbf(thread: UserThread, x: FLOAT) -> INT:
    """The exponent."""
    return INT(_integer_exponent(thread, x))


def _integer_exponent(thread: UserThread, value: float) -> int:
    if value == 0:
        set_errno(thread, ERRNO.EDOM)
        return -0x8000_0000
    if math.isinf(value) or value != value:  # noqa: PLR0124
        set_errno(thread, ERRNO.EDOM)
        return 0x7FFF_FFFF
    return math.frexp(value)[1] - 1


# ------------------------------------------------------------------------------ parts


@crt
def frexp(thread: UserThread, value: DOUBLE, exponent: Ptr[INT]) -> DOUBLE:
    """Mantissa in [0.5, 1) and exponent."""
    mantissa, power_of_two = math.frexp(value)
    exponent.write(power_of_two if math.isfinite(value) else -1)
    return DOUBLE(mantissa)


@crt
def modf(thread: UserThread, value: DOUBLE, whole: PVOID) -> DOUBLE:
    """Fraction and whole part."""
    fraction, integer = math.modf(value)
    DOUBLE.store(thread.memory, whole, integer)
    return DOUBLE(fraction)


@crt
def modff(thread: UserThread, value: FLOAT, whole: PVOID) -> FLOAT:
    """Fraction and whole part."""
    fraction, integer = math.modf(value)
    FLOAT.store(thread.memory, whole, integer)
    return FLOAT(fraction)


def scaled(value: float, exponent: int) -> float:
    """Ldexp."""
    return math.ldexp(value, exponent)


@crt(aliases=("scalbn", "scalbln", "scalbnl", "scalblnl"))
def ldexp(thread: UserThread, value: DOUBLE, exponent: INT) -> DOUBLE:
    """Value * 2^exponent."""
    return DOUBLE(evaluate(thread, math.ldexp, value, exponent))


@crt
def _scalb(thread: UserThread, value: DOUBLE, exponent: LONG) -> DOUBLE:
    """Value * 2^exponent."""
    return DOUBLE(evaluate(thread, math.ldexp, value, exponent))


@crt(aliases=("scalblnf", "_scalbf"))
def scalbnf(thread: UserThread, value: FLOAT, exponent: INT) -> FLOAT:
    """Value * 2^exponent."""
    return FLOAT(single(evaluate(thread, math.ldexp, value, exponent)))


@crt(aliases=("fmal",))
def fma(thread: UserThread, x: DOUBLE, y: DOUBLE, z: DOUBLE) -> DOUBLE:
    """X * y + z, rounded once."""
    return DOUBLE(_fused(x, y, z))


@crt
def fmaf(thread: UserThread, x: FLOAT, y: FLOAT, z: FLOAT) -> FLOAT:
    """X * y + z, rounded once."""
    return FLOAT(single(_fused(x, y, z)))


def _fused(x: float, y: float, z: float) -> float:
    from fractions import Fraction  # noqa: PLC0415 - seldom wanted

    if not all(map(math.isfinite, (x, y, z))):
        return x * y + z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact == 0:
        return x * y + z
    try:
        return float(exact)
    except OverflowError:
        return math.copysign(INFINITY, exact)


@crt(aliases=("nanl",))
def nan(thread: UserThread, tag: PVOID) -> DOUBLE:
    """A quiet NaN."""
    return DOUBLE(NAN)


@crt
def nanf(thread: UserThread, tag: PVOID) -> FLOAT:
    """A quiet NaN."""
    return FLOAT(NAN)


@crt
def remquo(thread: UserThread, x: DOUBLE, y: DOUBLE, quotient: Ptr[INT]) -> DOUBLE:
    """The IEEE remainder and the quotient's low bits."""
    remainder = evaluate(thread, math.remainder, x, y)
    bits = round((x - remainder) / y) if math.isfinite(x) and y and math.isfinite(y) else 0
    quotient.write(int(math.copysign(abs(bits) & 0x7FFF_FFFF, bits)))
    return DOUBLE(remainder)


# ------------------------------------------------------------------------------ classes


def classify(value: float, smallest: float) -> int:
    """Fpclassify."""
    if value != value:  # noqa: PLR0124
        return FP_NAN
    if math.isinf(value):
        return FP_INFINITE
    if value == 0:
        return FP_ZERO
    return FP_SUBNORMAL if abs(value) < smallest else FP_NORMAL


@crt(aliases=("_ldclass",))
def _dclass(thread: UserThread, x: DOUBLE) -> SHORT:
    """Fpclassify of a double."""
    return SHORT(classify(x, 2.0**-1022))


@crt
def _fdclass(thread: UserThread, x: FLOAT) -> SHORT:
    """Fpclassify of a float."""
    return SHORT(classify(x, 2.0**-126))


@crt(aliases=("_ldsign",))
def _dsign(thread: UserThread, x: DOUBLE) -> INT:
    """Nonzero for a negative number."""
    return INT(0x8000 if math.copysign(1, x) < 0 else 0)


@crt
def _fdsign(thread: UserThread, x: FLOAT) -> INT:
    """Nonzero for a negative number."""
    return INT(0x8000 if math.copysign(1, x) < 0 else 0)


@crt(aliases=("_ldtest",))
def _dtest(thread: UserThread, x: PVOID) -> SHORT:
    """Fpclassify of the double at an address."""
    return SHORT(classify(DOUBLE.load(thread.memory, x), 2.0**-1022))


@crt
def _fdtest(thread: UserThread, x: PVOID) -> SHORT:
    """Fpclassify of the float at an address."""
    return SHORT(classify(FLOAT.load(thread.memory, x), 2.0**-126))


def _comparison(x: float, y: float) -> int:
    return 1 if x < y else 2 if x == y else 4 if x > y else 0


@crt(aliases=("_ldpcomp",))
def _dpcomp(thread: UserThread, x: DOUBLE, y: DOUBLE) -> INT:
    """1 less, 2 equal, 4 greater, 0 unordered."""
    return INT(_comparison(x, y))


@crt
def _fdpcomp(thread: UserThread, x: FLOAT, y: FLOAT) -> INT:
    """1 less, 2 equal, 4 greater, 0 unordered."""
    return INT(_comparison(x, y))


@crt
def _finite(thread: UserThread, x: DOUBLE) -> INT:
    """Whether a number is finite."""
    return INT(math.isfinite(x))


@crt
def _finitef(thread: UserThread, x: FLOAT) -> INT:
    """Whether a number is finite."""
    return INT(math.isfinite(x))


@crt
def _isnan(thread: UserThread, x: DOUBLE) -> INT:
    """Whether it is no number."""
    return INT(math.isnan(x))


@crt
def _isnanf(thread: UserThread, x: FLOAT) -> INT:
    """Whether it is no number."""
    return INT(math.isnan(x))


@crt
def _chgsign(thread: UserThread, x: DOUBLE) -> DOUBLE:
    """The number with the other sign."""
    return DOUBLE(-x)


@crt
def _chgsignf(thread: UserThread, x: FLOAT) -> FLOAT:
    """The number with the other sign."""
    return FLOAT(-x)


@crt
def _fpclass(thread: UserThread, x: DOUBLE) -> INT:
    """One bit for each class and sign (float.h, _FPCLASS_…)."""
    return INT(_class_bit(x, 2.0**-1022))


@crt
def _fpclassf(thread: UserThread, x: FLOAT) -> INT:
    """One bit for each class and sign (float.h, _FPCLASS_…)."""
    return INT(_class_bit(x, 2.0**-126))


def _class_bit(value: float, smallest: float) -> int:
    negative = math.copysign(1, value) < 0
    return {
        FP_NAN: 0x2,
        FP_INFINITE: 0x4 if negative else 0x200,
        FP_NORMAL: 0x8 if negative else 0x100,
        FP_SUBNORMAL: 0x10 if negative else 0x80,
        FP_ZERO: 0x20 if negative else 0x40,
    }[classify(value, smallest)]
