"""What a formula may say.

formulaic evaluates the functions of a formula as Python, with all of Python at hand, and some of
it while it only parses. So a formula is judged here first: it may use the columns of the data,
numbers, text in quotes, arithmetic, comparisons and the functions of this module, and nothing else.
Names of columns, which come with the data, never become code: whatever is not a plain identifier is
known to formulaic by a key of ours instead.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from formulaic.parser import DefaultFormulaParser
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import Token
from formulaic.transforms import TRANSFORMS

from bayesreg._visible import begun, shown
from bayesreg.errors import BayesregWarning, InputError, unknown_name
from bayesreg.frames.operators import Operators, written
from bayesreg.frames.transforms import CONTRASTS, ELEMENTWISE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_TRANSFORMS = ("I", "bs", "cc", "cr", "cs", "center", "poly", "scale", "standardize")
# Bases of several columns, and what the second argument of each is called.
BASES = {"bs": "df", "cc": "df", "cr": "df", "cs": "df", "poly": "degree"}
_CODINGS = ("Treatment", "Sum", "Helmert", "Diff", "Poly")
_RESERVED = frozenset({*TRANSFORMS, *ELEMENTWISE, "offset", "contr", "np"})
_NODES = (
    *(ast.Expression, ast.Load, ast.keyword, ast.List, ast.Tuple),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.FloorDiv, ast.Mod),
    *(ast.UnaryOp, ast.UAdd, ast.USub, ast.Invert, ast.BitAnd, ast.BitOr),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)
_LONGEST, _LARGEST_POWER, _MOST_KNOTS = 20_000, 100, 1000
# Python walks through expressions by recursion.
_DEEPEST = 100

_CALLABLE = (*ELEMENTWISE, *_TRANSFORMS, *_CODINGS, "C", "offset")


@dataclass(frozen=True)
class Keys:
    """What formulaic calls the columns of the data.

    Attributes
    ----------
    by_name : mapping of str to str
        The key of each column: its name where that is an identifier, else one of ours.
    """

    by_name: Mapping[str, str]

    @classmethod
    def of(cls, names: Sequence[str]) -> Keys:
        """Give every column a key."""
        taken = set(names)
        keys = {}
        for k, name in enumerate(names):
            key = name
            if not _is_plain(name):
                key = f"bayesreg_column_{k}"
                while key in taken:
                    key += "_"
            taken.add(key)
            keys[name] = key
        return cls(keys)

    def names_in(self, text: str) -> str:
        """Put the names of columns back into a text of formulaic's."""
        names = {key: name for name, key in self.by_name.items() if name != key}
        return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), text)

    def used(self, found: set[str]) -> Keys:
        """Return the keys of some columns, given by their keys."""
        return Keys({name: key for name, key in self.by_name.items() if key in found})


def _is_plain(name: str) -> bool:
    """Tell whether a name can stand in a formula as it is."""
    ours = name.startswith("__") or name in _RESERVED or keyword.iskeyword(name)
    # Python reads identifiers in this normal form, so that other spellings would not be found.
    return name.isidentifier() and unicodedata.normalize("NFKC", name) == name and not ours


def parse(
    formula: object, names: Sequence[str], known: Sequence[str] = ()
) -> tuple[Any, Any, Keys]:
    """Parse a formula.

    Parameters
    ----------
    formula : str
        In Wilkinson's notation, such as ``y ~ x + C(g) + bs(age, df=4)``; names that are no
        identifiers in backticks.
    names : sequence of str
        The columns of the data.
    known : sequence of str
        Those of them that ``.`` leaves out: weights, say.

    Returns
    -------
    target, terms : list of formulaic.Term
        Both sides of the formula.
    keys : Keys
        Those of the columns that it uses.

    Raises
    ------
    InputError
        If the formula says what it may not, or names what is no column.
    """
    if not isinstance(formula, str):
        msg = f"formula: must be text such as 'y ~ x + C(g)', found {type(formula).__name__}"
        raise InputError(msg)
    keys = Keys.of(names)
    text = _with_keys(formula, keys)
    for token in _tokens(text):
        _check_token(token, keys, names)
    available = [key for name, key in keys.by_name.items() if name not in known]
    parser = DefaultFormulaParser(Operators(formula=formula), feature_flags={"TWOSIDED"})
    try:
        sides = parser.get_terms(text, context={"__formulaic_variables_available__": available})
        found = dict(sides._to_dict())  # noqa: SLF001  (formulaic's own way to its two sides)
    except (InputError, BayesregWarning):
        raise
    except Exception as error:
        raise _unreadable(formula, error) from error
    if set(found) != {"lhs", "rhs"}:
        msg = (
            f"formula: {shown(formula)} names no target; write it on the left, as in 'y ~ x1 + x2'"
        )
        raise InputError(msg)
    target, terms = list(found["lhs"]), list(found["rhs"])
    return target, terms, keys.used(columns_used([*target, *terms], keys))


def _with_keys(formula: str, keys: Keys) -> str:
    """Replace the names in backticks by their keys; text in quotes stays as it is."""
    if len(formula) > _LONGEST:
        msg = f"formula: is {len(formula)} characters long, and may have {_LONGEST} at most"
        raise InputError(msg)
    if "\\" in formula or not all(c.isprintable() or c in "\n\t " for c in formula):
        msg = "formula: holds a backslash or a control character; leave it out"
        raise InputError(msg)
    out, rest = [], formula
    while rest:
        at = next((k for k, char in enumerate(rest) if char in "`'\""), len(rest))
        out.append(rest[:at])
        if at == len(rest):
            break
        mark, rest = rest[at], rest[at + 1 :]
        inside, closed, rest = rest.partition(mark)
        if not closed:
            msg = f"formula: a {mark} is opened and not closed, before {inside[:20]!r}"
            raise InputError(msg)
        if mark == "`":
            if inside not in keys.by_name:
                raise unknown_name("formula", inside, list(keys.by_name))
            out.append(keys.by_name[inside])
        elif set(inside) & set("`'\""):
            msg = (
                f"formula: the text {shown(inside)} holds a quotation mark; rename that level first"
            )
            raise InputError(msg)
        else:
            out.append(f"{mark}{inside}{mark}")
    return "".join(out)


def _tokens(text: str) -> list[Token]:
    try:
        return list(tokenize(text))
    except Exception as error:
        raise _unreadable(text, error) from error


def _unreadable(formula: str, error: Exception) -> InputError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(
        f"formula: {shown(formula)} cannot be read ({begun(reason)}); write it as in "
        "'y ~ x1 + C(g) + x1:x2'"
    )


def _depth(tree: ast.AST) -> int:
    """Return the number of levels of an expression."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _check_token(token: Token, keys: Keys, names: Sequence[str]) -> None:
    """Refuse what may not stand in a formula."""
    text = token.token
    if token.kind is Token.Kind.PYTHON:
        try:
            tree = ast.parse(text, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _unreadable(text, error) from error
        if _depth(tree) > _DEEPEST:
            msg = (
                f"formula: {shown(text)} is an expression of more than {_DEEPEST} levels; make "
                "it a column of the data beforehand"
            )
            raise InputError(msg)
        _check(tree.body, keys, text)
    elif token.kind is Token.Kind.NAME and text != ".":
        _check_name(text, keys, names)
    elif "|" in text:
        msg = (
            "formula: '|' has no meaning here; effects of a group that share a prior are C(g) with "
            "a prior of their own, such as prior=[(br.Normal(1.0), ['C(g)']), ...]"
        )
        raise InputError(msg)


def _check_name(text: str, keys: Keys, names: Sequence[str]) -> None:
    if text in keys.by_name.values():
        return
    if text in keys.by_name:
        msg = f"formula: write the column {text!r} in backticks, as `{text}`"
        raise InputError(msg)
    raise unknown_name("formula", text, [n if _is_plain(n) else f"`{n}`" for n in names])


def _check(node: ast.AST, keys: Keys, text: str) -> None:
    """Walk through an expression, and refuse what is not on the lists of this module."""
    if isinstance(node, ast.Name):
        if node.id not in _CODINGS:
            _check_name(node.id, keys, list(keys.by_name))
        return
    if isinstance(node, ast.Call):
        _check_call(node, text)
        children: list[ast.AST] = [*node.args, *node.keywords]
    elif _is_plain_value(node) or _is_member(node, "contr", CONTRASTS):
        return
    elif isinstance(node, _NODES):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            _check_power(node.right, text)
        children = list(ast.iter_child_nodes(node))
    else:
        raise _refused(written(node), text)
    for child in children:
        _check(child, keys, text)


def _is_plain_value(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None)


def _is_member(node: ast.AST, owner: str, members: Sequence[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
        and node.attr in members
    )


def _check_call(node: ast.Call, text: str) -> None:
    """Refuse calls of other functions, and arguments that are not written out."""
    called = node.func
    ours = isinstance(called, ast.Name) and called.id in _CALLABLE
    theirs = _is_member(called, "np", ELEMENTWISE) or _is_member(called, "contr", CONTRASTS)
    if not (ours or theirs):
        raise _refused(ast.unparse(called), text)
    for argument in node.keywords:
        if argument.arg is None or argument.arg.startswith("_"):
            raise _refused(ast.unparse(node), text)
    if isinstance(called, ast.Name) and called.id in BASES:
        _check_size(node, called.id, text)


def _check_size(node: ast.Call, basis: str, text: str) -> None:
    """Refuse sizes of a basis that are none, or are so large that they take forever."""
    given = {argument.arg: argument.value for argument in node.keywords}
    if len(node.args) > 1:
        given[BASES[basis]] = node.args[1]
    written: dict[str | None, Any] = {
        name: getattr(value, "value", None) for name, value in given.items()
    }
    degree = written.get("degree", 3)
    least = {"degree": 1 if basis == "poly" else 0, "df": 2}
    if basis == "bs" and isinstance(degree, int):
        least["df"] = max(1, degree + bool(written.get("include_intercept")))
    for name in least.keys() & given.keys():
        size = written[name]
        default = name == "df" and isinstance(given[name], ast.Constant) and size is None
        whole = isinstance(size, int) and not isinstance(size, bool)
        if not (default or (whole and least[name] <= size <= _MOST_KNOTS)):
            msg = (
                f"formula: {name} in {shown(text)} must be a whole number from {least[name]} to "
                f"{_MOST_KNOTS}, found {begun(ast.unparse(given[name]))}"
            )
            raise InputError(msg)


def _check_power(exponent: ast.AST, text: str) -> None:
    """Refuse towers of whole numbers, which take forever: an exponent is small or a column."""
    if any(isinstance(node, ast.Name) for node in ast.walk(exponent)):
        return
    number = exponent.operand if isinstance(exponent, ast.UnaryOp) else exponent
    small = isinstance(number, ast.Constant) and isinstance(number.value, int | float)
    if not (small and abs(number.value) <= _LARGEST_POWER):  # type: ignore[attr-defined]
        raise _refused(ast.unparse(exponent), text)


def _refused(part: str, text: str) -> InputError:
    return InputError(
        f"formula: {shown(part)} in {shown(text)} is not allowed; a formula may use columns, "
        f"numbers, arithmetic, comparisons and {', '.join(_CALLABLE)}; make other columns "
        "beforehand"
    )


def columns_used(terms: Sequence[Any], keys: Keys) -> set[str]:
    """Return the keys of the columns that terms use."""
    known = set(keys.by_name.values())
    found = set()
    for factor in {factor.expr: factor for term in terms for factor in term.factors}.values():
        if factor.expr in known:
            found.add(factor.expr)
        elif factor.eval_method.value == "python":
            tree = ast.parse(factor.expr, mode="eval")
            called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
            named = {node for node in ast.walk(tree) if isinstance(node, ast.Name)} - called
            found |= {node.id for node in named} & known
    return found


def check_sides(formula: str, target: Sequence[Any], terms: Sequence[Any], keys: Keys) -> None:
    """Refuse a target that explains itself, and a right side that says nothing.

    Raises
    ------
    InputError
        If the right side holds all columns of the target, a term without a column, or no term.
    """
    explained = columns_used(target, keys)
    name = keys.names_in(" + ".join(map(repr, target)))
    if not explained:
        msg = f"formula: its target {name!r} uses no column of the data; name one"
        raise InputError(msg)
    others = [term for term in terms if repr(term) != "1"]
    for term in others:
        if not columns_used([term], keys):
            msg = f"formula: term {term!r} uses no column of the data; 1 stands for the intercept"
            raise InputError(msg)
    if explained <= columns_used(others, keys):
        held = next(term for term in others if explained & columns_used([term], keys))
        msg = (
            f"formula: the target {name!r} stands on the right side too, in "
            f"{keys.names_in(repr(held))!r}, and would explain itself; take it out"
        )
        raise InputError(msg)
    right = formula.rpartition("~")[2].strip()
    if terms and not others and not re.search(r"(?<!\w)1(?!\w)", right):
        msg = (
            f"formula: {shown(right)} leaves no term ('-' takes one away, I(-x) is minus x); add "
            "one, or write 1 for the intercept alone"
        )
        raise InputError(msg)
