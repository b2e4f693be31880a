#include "eval/made_prompts.h"

#include <array>

namespace aio {
namespace {

// --- programs --------------------------------------------------------------------------

constexpr std::array<std::string_view, 12> kFunctionNames = {
    "count_items", "merge_rows",  "find_peak",   "sum_pairs",   "clean_line", "rotate_list",
    "is_balanced", "group_words", "parse_entry", "running_max", "unique_ids", "clamp_all"};
constexpr std::array<std::string_view, 8> kArguments = {"values", "items", "rows",   "numbers",
                                                        "lines",  "words", "tokens", "entries"};

constexpr std::array<std::string_view, 12> kFunctions = {
    "def {f}({a}):\n    total = 0\n    for x in {a}:\n        if x > {k}:\n            total += x\n"
    "    return total\n",
    "def {f}({a}, limit={k}):\n    seen = set()\n    result = []\n    for x in {a}:\n"
    "        if x not in seen and len(result) < limit:\n            seen.add(x)\n"
    "            result.append(x)\n    return result\n",
    "def {f}({a}):\n    return sorted({a}, key=lambda x: (-x, x))[:{k}]\n",
    "def {f}({a}):\n    best = None\n    for i in range(len({a}) - 1):\n"
    "        d = abs({a}[i] - {a}[i + 1])\n        if best is None or d < best:\n"
    "            best = d\n    return best\n",
    "def {f}({a}):\n    counts = {}\n    for x in {a}:\n        counts[x] = counts.get(x, 0) + 1\n"
    "    return [x for x in counts if counts[x] == {k}]\n",
    "def {f}({a}):\n    lo, hi = 0, len({a})\n    while lo < hi:\n        mid = (lo + hi) // 2\n"
    "        if {a}[mid] < {k}:\n            lo = mid + 1\n        else:\n            hi = mid\n"
    "    return lo\n",
    "import re\n\n\ndef {f}({a}):\n    pattern = re.compile(r'\\d{{k}}')\n"
    "    return [pattern.sub('', x).strip() for x in {a}]\n",
    "def {f}({a}):\n    if not {a}:\n        return []\n    head, *tail = {a}\n"
    "    return {f}(tail) + [head * {k}]\n",
    "class Store:\n    def __init__(self):\n        self.{a} = []\n\n    def {f}(self, x):\n"
    "        self.{a}.append(x)\n        return len(self.{a}) % {k}\n",
    "function {f}({a}) {\n  const out = [];\n  for (const x of {a}) {\n"
    "    if (x % {k} === 0) out.push(x);\n  }\n  return out;\n}\n",
    "int {f}(const std::vector<int>& {a}) {\n  int best = {k};\n  for (int x : {a}) {\n"
    "    if (x > best) best = x;\n  }\n  return best;\n}\n",
    "def {f}({a}: list) -> bool:\n    \"\"\"Whether neighbours differ by at most {k}.\"\"\"\n"
    "    return all(abs(x - y) <= {k} for x, y in zip({a}, {a}[1:]))\n",
};

constexpr std::array<std::string_view, 12> kCodePrompts = {
    "Write a Python function that {t}.",
    "Implement a function {f}({a}) that {t}.",
    "Please write code that {t}. The function should be called {f}.",
    "def {f}({a}):\n    \"\"\"A function that {t}.\n    >>> {f}([{k}, 3, 1])\n    \"\"\"\n",
    "Write a function in Python which {t}. Use no imports.",
    "Define a Python function {f} that takes {a} and {t}.",
    "Can you write a short Python program that {t}?",
    "Complete this function, which {t}:\n\ndef {f}({a}):\n",
    "I need a function that {t}. Call it {f}, with the parameter {a}.",
    "Write {f}({a}): it {t}. Your code should pass:\nassert {f}([]) == []",
    "Fix this code, so that it {t}:\n\ndef {f}({a}):\n    return {a}[{k}]\n",
    "Create a Python method {f}({a}) that {t}.",
};
constexpr std::array<std::string_view, 12> kTasks = {
    "returns the sum of all even numbers in a list",
    "reverses a string",
    "removes duplicates from a list and keeps the order",
    "counts the vowels of a word",
    "returns the largest element of a list",
    "checks whether a string is a palindrome",
    "merges two sorted lists",
    "returns the words that are longer than a given length",
    "doubles every number in a list",
    "finds the index of the smallest value",
    "filters out the negative numbers of a list",
    "splits a list into chunks of a given size",
};

// --- the invented world of the bundled models (models/README.md) -------------------------

constexpr std::array<std::string_view, 24> kTowns = {
    "Brell",   "Carrow", "Dunmere", "Elsby",  "Farwick", "Galton",  "Harrow", "Iverness",
    "Jorvale", "Kelby",  "Lorne",   "Merrow", "Norby",   "Ostrand", "Pelham", "Quill",
    "Rask",    "Selwyn", "Thorne",  "Umber",  "Varn",    "Westry",  "Yarrow", "Zell"};
constexpr std::array<std::string_view, 12> kQuestions = {
    "Which river flows through {t}?",
    "Who rules {t}?",
    "What is {t} known for exporting?",
    "Which festival is held in {t}?",
    "What is the animal of {t}?",
    "When was {t} founded?",
    "What do people in {t} like to eat?",
    "Which landmark stands in {t}?",
    "On which island is the town of {t}?",
    "Tell me about the town of {t}.",
    "Is the river of {t} the same as that of {u}?",
    "What sets {t} apart from {u}?",
};

// --- mathematics -------------------------------------------------------------------------

constexpr std::array<std::string_view, 8> kNames = {"Tom",  "Lena", "Omar", "Ada",
                                                    "Ivan", "Mina", "Paul", "Ruth"};
constexpr std::array<std::string_view, 8> kThings = {"apples", "books",   "coins",  "cards",
                                                     "eggs",   "pencils", "shells", "tickets"};
constexpr std::array<std::string_view, 12> kSums = {
    "What is {a} + {b} * {c}?",
    "{n} has {a} {x}. {m} gives {n} {b} more, and {n} loses {c}. How many {x} does {n} have now?",
    "Compute {a} * {c} - {b}.",
    "A box holds {c} {x}. {n} fills {b} boxes and keeps {a} {x} loose. How many {x} are there in "
    "total?",
    "How much is {a} plus {b}, divided by {c}?",
    "{n} buys {c} {x} at ${b} each and pays with a ${a}00 note. How much change does {n} get?",
    "Calculate ({a} + {b}) * {c}.",
    "{n} and {m} share {a}{b} {x} equally with {c} friends. How many does each get, and how many "
    "are left?",
    "If {c} {x} cost ${b}, what do {a} {x} cost?",
    "{n} reads {b} pages a day. How many days does a book of {a}0 pages take?",
    "What is {c}% of {a}{b}?",
    "{m} walks {c} km in the morning and {b} km in the evening. How far does {m} walk in {a} days?",
};

}  // namespace

std::string FillIn(std::string_view pattern, const std::vector<Replacement>& values) {
  std::string text;
  while (!pattern.empty()) {
    bool replaced = false;
    for (const Replacement& r : values) {
      if (pattern.substr(0, r.mark.size()) != r.mark) continue;
      text += r.value;
      pattern.remove_prefix(r.mark.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    text += pattern.front();
    pattern.remove_prefix(1);
  }
  return text;
}

std::string MadeCodePrompt(SuiteDraw& draw) {
  return FillIn(draw.Pick(kCodePrompts), {{"{t}", std::string(draw.Any(kTasks))},
                                          {"{f}", std::string(draw.Any(kFunctionNames))},
                                          {"{a}", std::string(draw.Any(kArguments))},
                                          {"{k}", std::to_string(draw.Between(2, 9))}});
}

std::string MadeQuestion(SuiteDraw& draw) {
  return FillIn(draw.Pick(kQuestions),
                {{"{t}", std::string(draw.Any(kTowns))}, {"{u}", std::string(draw.Any(kTowns))}});
}

std::string MadeMathPrompt(SuiteDraw& draw) {
  return FillIn(draw.Pick(kSums), {{"{a}", std::to_string(draw.Between(12, 98))},
                                   {"{b}", std::to_string(draw.Between(3, 60))},
                                   {"{c}", std::to_string(draw.Between(2, 12))},
                                   {"{n}", std::string(draw.Any(kNames))},
                                   {"{m}", std::string(draw.Any(kNames))},
                                   {"{x}", std::string(draw.Any(kThings))}});
}

std::string MadeProgram(SuiteDraw& draw, size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    if (!text.empty()) text += "\n\n";
    text += FillIn(draw.Pick(kFunctions), {{"{f}", std::string(draw.Any(kFunctionNames))},
                                           {"{a}", std::string(draw.Any(kArguments))},
                                           {"{k}", std::to_string(draw.Between(2, 9))}});
  }
  return text;
}

}  // namespace aio
