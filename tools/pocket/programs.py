"""The code domain: short Python functions, built from parts so that names,
operations and wordings recombine in ways training has not shown."""
import builtins
import collections
import keyword
import re

import texts

FILTERS = [  # wording, condition on x
    ("even", "x % 2 == 0"), ("odd", "x % 2 == 1"), ("positive", "x > 0"), ("negative", "x < 0"), ("non-zero", "x != 0"),
    ("greater than {k}", "x > {k}"), ("less than {k}", "x < {k}"), ("divisible by {k}", "x % {k} == 0"), ("not equal to {k}", "x != {k}")]
MAPS = [  # wording, expression of x
    ("doubled", "x * 2"), ("squared", "x * x"), ("negated", "-x"), ("increased by {k}", "x + {k}"), ("multiplied by {k}", "x * {k}"),
    ("decreased by {k}", "x - {k}"), ("made absolute", "abs(x)"), ("turned into strings", "str(x)")]
REDUCE = [("sum", "sum({xs})"), ("count", "len({xs})"), ("largest", "max({xs})"), ("smallest", "min({xs})")]
LIST_ARGS = ["numbers", "xs", "values", "nums", "items", "lst", "data", "arr"]
STR_ARGS = ["s", "text", "word", "string", "line", "st"]
INT_ARGS = ["n", "number", "num", "value", "m", "i"]

# names, wordings, parameter kind, return type, body, example arguments.
# {a} is the parameter, {b} the second one; bodies are indented by four.
FIXED = [
    (["reverse_string", "reverse", "backwards", "flip_text", "reversed_text"], ["returns the string {a} reversed", "reverses the string {a}", "returns {a} written backwards", "turns the string {a} around"],
     "s", "str", "    return {a}[::-1]", ["'abc'", "'hello'", "''"]),
    (["is_palindrome", "palindrome", "check_palindrome", "reads_same"], ["checks whether the string {a} is a palindrome", "returns True if {a} reads the same backwards", "tells if {a} is a palindrome", "decides whether {a} is the same when reversed"],
     "s", "bool", "    return {a} == {a}[::-1]", ["'level'", "'abc'", "''"]),
    (["count_vowels", "vowels", "num_vowels", "vowel_count"], ["counts the vowels in the string {a}", "returns the number of vowels in {a}", "returns how many vowels {a} has", "finds how many vowels there are in {a}"],
     "s", "int", "    return sum(1 for c in {a} if c in 'aeiou')", ["'banana'", "'xyz'", "'hello'"]),
    (["to_upper", "shout", "upper_case", "make_upper"], ["converts the string {a} to upper case", "returns {a} in upper case", "makes all letters of {a} upper case", "returns {a} with capital letters only"],
     "s", "str", "    return {a}.upper()", ["'abc'", "'Hello'"]),
    (["to_lower", "lower_case", "make_lower", "lowercase_text"], ["converts the string {a} to lower case", "returns {a} in lower case", "makes all letters of {a} lower case", "returns {a} with small letters only"],
     "s", "str", "    return {a}.lower()", ["'ABC'", "'Hello'"]),
    (["count_words", "word_count", "num_words", "how_many_words"], ["counts the words in the string {a}", "returns the number of words in {a}", "returns how many words {a} has", "finds how many words are in {a}"],
     "s", "int", "    return len({a}.split())", ["'a b c'", "'hello world'", "''"]),
    (["remove_spaces", "strip_spaces", "no_spaces", "without_spaces"], ["removes all spaces from the string {a}", "returns {a} without spaces", "deletes the spaces in {a}", "drops every space of {a}"],
     "s", "str", "    return {a}.replace(' ', '')", ["'a b'", "'x y z'"]),
    (["first_char", "first_letter", "head_char", "get_first"], ["returns the first character of {a}", "gets the first letter of the string {a}", "gives the first character of the string {a}", "finds the character at the start of {a}"],
     "s", "str", "    return {a}[0]", ["'abc'", "'hello'"]),
    (["last_char", "last_letter", "tail_char", "get_last"], ["returns the last character of {a}", "gets the last letter of the string {a}", "gives the last character of the string {a}", "finds the character at the end of {a}"],
     "s", "str", "    return {a}[-1]", ["'abc'", "'hello'"]),
    (["string_length", "text_length", "length", "count_chars"], ["returns the length of the string {a}", "counts the characters in {a}", "returns how long {a} is", "finds the number of characters of {a}"],
     "s", "int", "    return len({a})", ["'abc'", "''"]),
    (["unique_chars", "distinct_letters", "count_distinct", "num_unique"], ["returns the number of different characters in {a}", "counts the distinct characters of the string {a}", "returns how many different letters {a} has", "finds how many unique characters {a} contains"],
     "s", "int", "    return len(set({a}))", ["'aab'", "'abc'"]),
    (["longest_word", "find_longest", "longest", "biggest_word"], ["returns the longest word in {a}", "finds the longest word of the string {a}", "returns the word of {a} with the most letters", "gets the longest word from the text {a}"],
     "s", "str", "    return max({a}.split(), key=len)", ["'a bcd ef'", "'hi there'"]),
    (["factorial", "fact", "compute_factorial", "factorial_of"], ["computes the factorial of {a}", "returns the factorial of {a}", "calculates {a} factorial", "finds the product of the integers from 1 to {a}"],
     "i", "int", "    result = 1\n    for i in range(1, {a} + 1):\n        result *= i\n    return result", ["5", "3", "0"]),
    (["fibonacci", "fib", "nth_fibonacci", "fib_number"], ["returns the {a}-th Fibonacci number", "computes the Fibonacci number of {a}", "calculates the Fibonacci number at position {a}", "finds the {a}-th number of the Fibonacci sequence"],
     "i", "int", "    a, b = 0, 1\n    for _ in range({a}):\n        a, b = b, a + b\n    return a", ["6", "1", "10"]),
    (["is_prime", "prime", "check_prime", "prime_test"], ["checks whether {a} is a prime number", "returns True if {a} is prime", "tells if {a} is a prime", "decides whether the integer {a} is prime"],
     "i", "bool", "    if {a} < 2:\n        return False\n    for i in range(2, {a}):\n        if {a} % i == 0:\n            return False\n    return True", ["7", "8", "1"]),
    (["is_even", "even", "check_even", "even_number"], ["checks whether {a} is even", "returns True if {a} is an even number", "tells if the number {a} is even", "decides whether {a} can be divided by 2"],
     "i", "bool", "    return {a} % 2 == 0", ["4", "7"]),
    (["is_odd", "odd", "check_odd", "odd_number"], ["checks whether {a} is odd", "returns True if {a} is an odd number", "tells if the number {a} is odd", "decides whether {a} is not even"],
     "i", "bool", "    return {a} % 2 == 1", ["4", "7"]),
    (["square", "squared", "square_of", "sq"], ["returns the square of {a}", "computes the square of the number {a}", "squares {a}", "finds {a} times {a}"],
     "i", "int", "    return {a} * {a}", ["3", "5"]),
    (["cube", "cubed", "cube_of", "third_power"], ["returns the cube of {a}", "computes the cube of the number {a}", "calculates the third power of {a}", "finds {a} to the power of 3"],
     "i", "int", "    return {a} ** 3", ["2", "3"]),
    (["digit_sum", "sum_digits", "add_digits", "sum_of_digits"], ["returns the sum of the digits of {a}", "adds up the digits of {a}", "computes the digit sum of {a}", "finds the total of the digits of {a}"],
     "i", "int", "    return sum(int(d) for d in str({a}))", ["123", "40"]),
    (["count_digits", "num_digits", "digits", "digit_count"], ["returns the number of digits of {a}", "counts the digits of {a}", "returns how many digits {a} has", "finds how many digits there are in {a}"],
     "i", "int", "    return len(str({a}))", ["123", "7"]),
    (["sum_to", "sum_up_to", "total_to", "add_to"], ["returns the sum of the numbers from 1 to {a}", "adds the integers from 1 to {a}", "computes the sum of all integers up to {a}", "finds the total of 1 to {a}"],
     "i", "int", "    return sum(range(1, {a} + 1))", ["4", "10"]),
    (["is_leap_year", "leap_year", "leap", "check_leap"], ["checks whether the year {a} is a leap year", "returns True if {a} is a leap year", "tells if {a} is a leap year", "decides whether {a} has 366 days"],
     "i", "bool", "    return {a} % 4 == 0 and ({a} % 100 != 0 or {a} % 400 == 0)", ["2000", "1900", "2024"]),
    (["divisors", "get_divisors", "list_divisors", "factors"], ["returns the list of divisors of {a}", "lists all divisors of {a}", "finds the numbers that divide {a}", "returns every divisor of {a} in a list"],
     "i", "List[int]", "    return [i for i in range(1, {a} + 1) if {a} % i == 0]", ["6", "7"]),
    (["add_up", "add_numbers", "sum_two", "plus"], ["returns the sum of {a} and {b}", "adds {a} and {b}", "adds the values {a} and {b}", "finds the total of {a} and {b}"],
     "ii", "int", "    return {a} + {b}", ["4, 9", "10, -4"]),
    (["subtract", "difference", "minus", "take_away"], ["subtracts {b} from {a}", "returns {a} minus {b}", "returns the difference of {a} and {b}", "takes {b} away from {a}"],
     "ii", "int", "    return {a} - {b}", ["5, 3", "2, 7"]),
    (["multiply", "product", "times", "mul"], ["multiplies {a} by {b}", "returns the product of {a} and {b}", "multiplies two numbers {a} and {b}", "finds {a} times {b}"],
     "ii", "int", "    return {a} * {b}", ["5, 3", "2, 7"]),
    (["maximum", "bigger", "larger", "max_of_two"], ["returns the larger of {a} and {b}", "finds the maximum of two numbers {a} and {b}", "returns the bigger one of {a} and {b}", "gets the greater of {a} and {b}"],
     "ii", "int", "    return max({a}, {b})", ["5, 3", "2, 7"]),
    (["minimum", "smaller", "lesser", "min_of_two"], ["returns the smaller of {a} and {b}", "finds the minimum of two numbers {a} and {b}", "returns the lesser one of {a} and {b}", "gets the lower of {a} and {b}"],
     "ii", "int", "    return min({a}, {b})", ["5, 3", "2, 7"]),
    (["gcd", "greatest_common_divisor", "common_divisor", "find_gcd"], ["returns the greatest common divisor of {a} and {b}", "computes the gcd of {a} and {b}", "calculates the greatest common divisor of the integers {a} and {b}", "finds the gcd of {a} and {b}"],
     "ii", "int", "    while {b}:\n        {a}, {b} = {b}, {a} % {b}\n    return {a}", ["12, 18", "7, 5"]),
    (["power", "raise_to", "pow_of", "exponent"], ["returns {a} to the power of {b}", "raises {a} to the power {b}", "computes {a} to the {b}-th power", "finds {a} raised to {b}"],
     "ii", "int", "    return {a} ** {b}", ["2, 3", "5, 2"]),
    (["reverse_list", "flip_list", "reversed_list", "backwards_list"], ["returns the list {a} in reverse order", "reverses the list {a}", "returns {a} reversed", "turns the list {a} around"],
     "l", "List[int]", "    return {a}[::-1]", ["[1, 2, 3]", "[]"]),
    (["sort_list", "sorted_list", "sort_numbers", "ascending"], ["sorts the list {a}", "returns the list {a} sorted", "returns {a} in ascending order", "puts the list {a} in order"],
     "l", "List[int]", "    return sorted({a})", ["[3, 1, 2]", "[5, 4]"]),
    (["sort_descending", "descending", "sort_down", "reverse_sort"], ["sorts the list {a} in descending order", "returns {a} sorted from largest to smallest", "returns the list {a} in descending order", "orders {a} from high to low"],
     "l", "List[int]", "    return sorted({a}, reverse=True)", ["[3, 1, 2]", "[5, 9]"]),
    (["unique", "drop_duplicates", "dedupe", "distinct"], ["removes duplicates from the list {a}", "returns {a} without duplicates", "returns the distinct elements of {a} in sorted order", "drops repeated elements of {a}"],
     "l", "List[int]", "    return sorted(set({a}))", ["[1, 1, 2]", "[3, 2, 3]"]),
    (["average", "mean", "get_average", "compute_mean"], ["returns the average of the list {a}", "computes the mean of the numbers in {a}", "calculates the average of {a}", "finds the mean value of {a}"],
     "l", "float", "    return sum({a}) / len({a})", ["[1, 2, 3]", "[4, 6]"]),
    (["product_list", "list_product", "multiply_all", "product_of"], ["returns the product of the numbers in {a}", "multiplies all numbers in the list {a}", "computes the product of the list {a}", "finds the product of all elements of {a}"],
     "l", "int", "    result = 1\n    for x in {a}:\n        result *= x\n    return result", ["[1, 2, 3]", "[4, 5]"]),
    (["is_sorted", "check_sorted", "in_order", "sorted_already"], ["checks whether the list {a} is sorted", "returns True if {a} is in ascending order", "tells if {a} is sorted", "decides whether the list {a} is in order"],
     "l", "bool", "    return {a} == sorted({a})", ["[1, 2, 3]", "[3, 1]"]),
    (["last_element", "get_last_item", "last_item", "final_element"], ["returns the last element of the list {a}", "gets the last item of {a}", "gives the final element of {a}", "finds the element at the end of {a}"],
     "l", "int", "    return {a}[-1]", ["[1, 2, 3]", "[7]"]),
    (["running_sum", "cumulative_sum", "prefix_sums", "partial_sums"], ["returns the running sums of the list {a}", "computes the cumulative sums of {a}", "calculates the prefix sums of {a}", "finds the partial sums of the list {a}"],
     "l", "List[int]", "    result = []\n    total = 0\n    for x in {a}:\n        total += x\n        result.append(total)\n    return result", ["[1, 2, 3]", "[5, -1]"]),
]
# Free names. A name that could be guessed from the task would never have to be
# copied from the request, and copying is what must be learnt.
WORDS = ("add apply back base bird blue book box build calc call cat change char check city clean cloud code color cook corner count cut data day deep do "
         "door draw east edge farm fast fill find fire first fix flag flip flow fold form fruit game gate get give gold good grade green group grow "
         "half hand head hill home hot house inner item jump key kind king lake lamp land last leaf left level light line load log long look loop "
         "low make mark mix moon more move my name near new night node north note old order outer pack page paint pair part path pick plan "
         "play point pool push put quick rain read red ring river road rock roll room root row run safe sand scan sea seed shape ship short show "
         "side sky small snow sort sound south spot star start stone stop store sun swap take task team temp term test tick time top town track tree "
         "trim turn two up use value view walk wall watch way west wide wind wood work ").split()
SHORT = "a b c d e f g h k m n p q r t u v w z".split()


def more_words(texts, count=1500):
    """Adds the commonest words of `texts`: the wider the words, the more a
    model has to copy."""
    seen = collections.Counter(w for t in texts for w in re.findall(r"\b[a-z]{3,9}\b", t))
    known = set(WORDS) | set(dir(builtins)) | set(keyword.kwlist) | set(LIST_ARGS + STR_ARGS + INT_ARGS)
    WORDS.extend(w for w, _ in seen.most_common(count) if w not in known)


def _free(r):
    parts = [r.choice(WORDS) if r.chance(0.8) else texts.syllables(r, r.randint(1, 3)) for _ in range(r.choice([1, 2, 2, 2, 3, 4]))]
    if parts[0] in keyword.kwlist or parts[0] in dir(builtins):
        parts[0] = "my"
    s = "_".join(parts) if r.chance(0.85) else parts[0] + "".join(x.capitalize() for x in parts[1:])
    return s if r.chance(0.85) else s + str(r.randint(1, 99))


def free_name(r):
    return r.made(_free)


TYPES = {"s": "str", "i": "int", "l": "List[int]"}
LIST_EXAMPLES = ["[1, 2, 3, 4]", "[5, -2, 7, 10]", "[8, 3, 0, 6]", "[12, 9, 4]", "[3, 6, -1, 15]"]

ASKS = ["Write a function that {d}.", "Write a Python function that {d}.", "Write a function {f} that {d}.", "Write a python function `{f}` that {d}.",
        "Create a function called {f} that {d}.", "Implement {f}({p}), which {d}.", "Define a function {f}({p}) that {d}.", "I need a Python function {f} that {d}.",
        "Can you write a function {f} which {d}?", "Please write Python code for a function that {d}.", "Give me a function named {f} that {d}.",
        "python function that {d}", "Code a function {f} that {d}.", "Show me a Python function that {d}.",
        "How do I write a function in Python that {d}?", "Make a Python function {f} that {d}.", "Program a function named {f} that {d}.", "Could you implement a function {f} that {d}?"]
COMPLETE = ["", "", "", "Complete the following function.\n\n", "Complete this Python function:\n", "Finish the code:\n\n", "Complete the following code:\n",
            "Fill in the body of this function.\n", "Please complete:\n\n"]


def copying(r):
    """Exercises in copying names from the request: without them a model this
    small writes a name it knows instead of the name it was given."""
    f, a = free_name(r), [free_arg(r) for _ in range(r.choice([1, 1, 2, 3]))]
    p = ", ".join(a)
    if r.chance(0.5):
        q = r.pick(["Write a function {f} that returns {a} unchanged.", "Write a function {f}({p}) that returns {a}.", "Define {f}({p}) to return {a}.",
                    "Make a Python function {f} with the parameters {p} that returns {a}.", "Create a function called {f} that gives back {a}."])
        if "{p}" not in q:
            p = a[0]
        return q.format(f=f, a=a[0], p=p), "```python\ndef %s(%s):\n    return %s\n```" % (f, p, a[0]), "code"
    p = ", ".join(x + ": " + r.choice(["int", "str", "List[int]", "float"]) for x in a)
    head = "def %s(%s):" % (f, p)
    prefix = "from typing import List\n\n\n" if "List" in head else ""
    return (r.pick(COMPLETE) + prefix + head + '\n    """ Returns %s.\n    """\n' % a[-1],
            "```python\n%s%s\n    return %s\n```" % (prefix, head, a[-1]), "code")


def free_arg(r):
    while True:
        s = r.choice(SHORT) if r.chance(0.2) else free_name(r) if r.chance(0.3) else r.choice(WORDS) + r.choice(["", "", "", "s"])
        if s not in TAKEN:
            return s


TAKEN = set(keyword.kwlist) | set(dir(builtins)) | {"x", "result", "total", "i", "c", "d"}


def _parts(r):
    """A function over a list: filter, map and reduce, each optional."""
    k = r.randint(2, 12) if r.chance(0.6) else r.randint(13, 200)
    f = r.choice(FILTERS) if r.chance(0.6) else None
    m = r.choice(MAPS) if not f or r.chance(0.35) else None
    red = r.choice(REDUCE) if r.chance(0.45) else None
    if red and m and m[1].startswith("str"):
        m = MAPS[1]
    a = r.pick(LIST_ARGS) if r.chance(0.3) else free_arg(r)
    cond = f[1].format(k=k) if f else None
    expr = m[1].format(k=k) if m else "x"
    inner = "[%s for x in %s%s]" % (expr, a, " if " + cond if f else "")
    what = "the numbers in %s" % a
    if f:
        fw = f[0].format(k=k)
        what = "the %s numbers in %s" % (fw, a) if " " not in fw else r.pick(
            ["the numbers in %s that are %s", "the elements of %s that are %s", "the values of %s that are %s", "all numbers of %s that are %s"]) % (a, fw)
    if m:
        what += " " + m[0].format(k=k) if not f else ", each %s" % m[0].format(k=k)
    name = "_".join(w for w in [
        r.choice(["get", "find", "list", "select", "make", "collect"]) if not red else red[0],
        f[0].split()[0].replace("-", "") if f else "", m[0].split()[0] if m else "",
        r.choice(["numbers", "values", "items", "elements", ""])] if w)
    if red:
        if not f and not m:
            inner = a
        d = {"sum": "returns the sum of " + what, "count": "counts " + what, "largest": "returns the largest of " + what,
             "smallest": "returns the smallest of " + what}[red[0]]
        if red[0] in ("sum", "largest", "smallest") and inner != a:
            expr2 = inner[1:-1]
            body = red[1].format(xs=expr2)
        else:
            body = red[1].format(xs=inner)
        ret = "int"
    else:
        d = r.choice(["returns ", "returns a list of ", "lists ", "collects ", "gives back ", "makes a list of "]) + what
        body, ret = inner, "List[str]" if expr.startswith("str") else "List[int]"
    if r.chance(0.7):
        name = free_name(r)
    return name, d, [a], "l", ret, "    return " + body, r.sample(LIST_EXAMPLES, 3)


VERBS = ["returns", "gives back", "computes", "gets", "works out", "produces", "finds", "determines", "yields"]


def describe(r, descs):
    """One of the descriptions of an operation. All are trained; a leading
    "returns" or its like may become a verb that training has not shown there."""
    d = r.choice(descs)
    head, _, rest = d.partition(" ")
    if head in ("returns", "gets", "gives", "finds", "computes", "calculates") and rest.startswith("the ") and r.chance(0.5):
        return r.pick(VERBS) + " " + rest
    return d


def _names(body):
    """A parameter called like something in the body would break it."""
    return set(re.findall(r"[a-z_]\w*", re.sub("{[ab]}", "", body)))


def _fixed(r):
    names, descs, kind, ret, body, examples = r.choice(FIXED)
    pool = {"s": STR_ARGS, "i": INT_ARGS, "l": LIST_ARGS}
    args = [r.pick(pool[kind[0]]) if r.chance(0.3) else free_arg(r)]
    if len(kind) == 2:
        args = r.choice([["a", "b"], ["x", "y"], ["m", "n"], ["p", "q"]])
        while r.chance(0.6) or args[0] == args[1]:
            args = [free_arg(r), free_arg(r)]
    if len(kind) == 1 and args[0] in _names(body) | {"i"}:
        args = ["n"]  # which no body uses
    v = dict(a=args[0], b=args[-1])
    name = r.choice(names) if r.chance(0.3) else free_name(r)
    return name, describe(r, descs).format(**v), args, kind, ret, body.format(**v), examples


def sample(r):
    """-> (prompt, answer, dict to check it by running)"""
    name, d, args, kind, ret, body, examples = _parts(r) if r.chance(0.4) else _fixed(r)
    params = ", ".join(args)
    typed = ", ".join("%s: %s" % (x, TYPES[k]) for x, k in zip(args, kind))
    ref = "def %s(%s):\n%s\n" % (name, params, body)
    check = dict(name=name, ref=ref, examples=examples)
    if r.chance(0.55):
        q = r.pick(ASKS)
        check["any_name"] = "{f}" not in q
        head = "def %s(%s):" % (name, params)
        # Without a name in the request the answer still needs one that can be
        # foreseen: the same every time.
        q = q.format(d=d, f=name, p=params)
        if check["any_name"]:
            head = "def solve(%s):" % params
        elif r.chance(0.15):
            q += " For example, " + _examples(name, ref, examples[:1], "%s returns %s.")
        return q, "```python\n%s\n%s\n```" % (head, body), check
    use_types = r.chance(0.7)
    head = "def %s(%s)%s:" % (name, typed if use_types else params, " -> " + ret if use_types else "")
    imports = "from typing import List\n\n\n" if use_types and "List" in head else r.choice(["", "", "import math\n\n\n", "\n"])
    shown = _examples(name, ref, examples, r.choice([">>> %s\n    %s", ">>> %s\n    %s", "%s == %s", "%s -> %s", "%s => %s"]))
    doc = '    """%s%s%s\n    """\n' % (r.choice([" ", "", "\n    "]), d[0].upper() + d[1:] + ".", "\n    " + shown if shown else "")
    prefix = ("from typing import List\n\n\n" if "List" in head else "")
    return r.pick(COMPLETE) + imports + head + "\n" + doc, "```python\n%s%s\n%s\n```" % (prefix, head, body), check


def _examples(name, ref, examples, form):
    """Examples are computed, never written by hand, so that they are true."""
    scope = {}
    exec(ref, scope)
    out = []
    for e in examples:
        call = "%s(%s)" % (name, e)
        try:
            out.append(form % (call, repr(eval(call, scope))))
        except (ValueError, TypeError):
            pass  # max of an empty list and the like: leave the example out
    return "\n    ".join(out)
