"""The math domain: sums and word problems with short worked solutions."""

NAMES = ["Tom", "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Isla", "Jack", "Kate", "Leo", "Mia", "Noah", "Olivia",
         "Peter", "Rosa", "Sam", "Tina", "Umar", "Vera", "Will", "Yuki", "Zoe", "Maria", "Ali", "Chen", "Priya", "Lucas"]
THINGS = ["apples", "pencils", "marbles", "books", "stickers", "cookies", "eggs", "coins", "cards", "balloons", "oranges", "shells", "stamps",
          "flowers", "buttons", "candies", "toys", "bricks", "pears", "muffins"]
BOXES = ["boxes", "bags", "baskets", "packs", "jars", "shelves", "crates", "trays"]
PLACES = ["shop", "farm", "school", "bakery", "garden", "library", "market", "factory"]

# Many more, for training alone: with few words a tiny model learns the words,
# with many it learns to copy them from the question.
MORE_NAMES = ("Adam Alice Amy Andre Angela Arthur Bella Bill Bob Brenda Carl Carlos Carol Cindy Dan Daisy Diego Donna Dora Elena Eric Eva Fatima Frank Fred George Gina Gloria "
              "Hannah Harry Helen Hugo Ian Ida Ivan Jane Jason Jenny Jim Joan John Josh Julia Karen Kevin Kim Lara Laura Liam Linda Lisa Lucy Luis Mark Martha Martin Mary Matt "
              "Max Megan Mike Milo Nancy Nina Oscar Pam Paul Paula Pedro Phil Quinn Rachel Ravi Rita Robert Ruth Ryan Sara Sean Simon Sofia Steve Susan Tara Ted Tim Toby Tony "
              "Victor Wendy Xavier Yara Yusuf Zack Natalia Betty Weng Julie James Mila Ken Alexis Tobias Randy Jasper Joy Bailey").split()
MORE_THINGS = ("balls bananas beads bears berries birds blocks boats bottles bowls bracelets brushes cakes cameras candles carrots cars cats chairs cherries chocolates clips coats crayons "
               "cups cupcakes desks dishes dogs dolls donuts dresses drinks erasers fish forks games gifts glasses grapes hats hens horses jackets kites lamps leaves lemons letters "
               "mangoes masks melons mugs necklaces nuts onions pages paintings pans papers peaches pens photos pictures pies pizzas plants plates plums posters potatoes puppies puzzles rings "
               "rocks roses rugs sandwiches scarves seeds shirts shoes socks spoons stars sticks stones stools sweaters tables tickets ties tomatoes towels trees trucks tulips watches windows").split()
MORE_BOXES = "bins cans cartons cases drawers bowls rows piles sacks tins buckets chests envelopes tubs racks tanks stacks bundles".split()
MORE_PLACES = "store park zoo museum cafe kitchen hospital office hotel club theater station gym studio restaurant store mill bank camp church".split()


def plain(r):
    k = r.randrange(6)
    if k == 0:
        a, b, op = r.randint(1, 20), r.randint(1, 20), "+"
    elif k == 1:
        a, b = sorted((r.randint(1, 30), r.randint(1, 20)), reverse=True)
        op = "-"
    elif k in (2, 3):
        a, b, op = r.randint(2, 10), r.randint(2, 10), "*"
    elif k == 4:
        b = r.randint(2, 10)
        a, op = b * r.randint(1, 10), "/"
    else:
        a, b, c = r.randint(1, 20), r.randint(2, 9), r.randint(2, 9)
        q = r.pick(["What is {a} + {b} * {c}?", "Compute {a} + {b} * {c}.", "Work out {a} + {b} * {c}", "{a} + {b} * {c} = ?", "Calculate {a} + {b} * {c}."])
        return q.format(a=a, b=b, c=c), "%d * %d = %d\n%d + %d = %d\n#### %d" % (b, c, b * c, a, b * c, a + b * c, a + b * c), a + b * c
    n = {"+": a + b, "-": a - b, "*": a * b, "/": a // b}[op]
    word = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[op]
    verb = {"+": "Add {a} and {b}.", "-": "Subtract {b} from {a}.", "*": "Multiply {a} by {b}.", "/": "Divide {a} by {b}."}[op]
    q = r.pick(["What is {a} {o} {b}?", "{a} {o} {b} = ?", "{a} {o} {b}", "{a}{o}{b}", "Calculate {a} {o} {b}.", verb, "What is {a} {w} {b}?", "Compute {a} {o} {b}",
                "how much is {a} {o} {b}", "Solve {a} {o} {b}.", "Find {a} {w} {b}.", "Work out {a} {o} {b}.", "Tell me {a} {o} {b}.",
                "What do you get for {a} {o} {b}?", "Evaluate {a} {o} {b}.", "Can you work out {a} {w} {b}?"])
    return q.format(a=a, b=b, o=op, w=word), "%d %s %d = %d\n#### %d" % (a, op, b, n, n), n


def _vals(r):
    def pick(items, more):
        return r.pick(items) if r.held or r.chance(0.15) else r.choice(more)
    return dict(n=pick(NAMES, MORE_NAMES), m=pick(NAMES, MORE_NAMES), t=pick(THINGS, MORE_THINGS), b=pick(BOXES, MORE_BOXES), p=pick(PLACES, MORE_PLACES))


# Each: (wordings, numbers, steps, result). Steps are formatted with the numbers.
def _w(texts, nums, steps, result):
    return texts, nums, steps, result


PROBLEMS = [
    _w(["{n} has {x} {t}. {m} gives {n} {y} more {t}. How many {t} does {n} have now?",
        "{n} had {x} {t} and found {y} more. How many {t} does {n} have in total?",
        "There are {x} {t} in the {p}. {n} brings {y} more. How many {t} are there now?",
        "If {n} has {x} {t} and buys {y} more {t} at the {p}, how many {t} does {n} own altogether?",
        "{n} picked {x} {t} and {m} picked {y}. How many {t} did they pick together?"],
       lambda r: dict(x=r.randint(2, 20), y=r.randint(2, 20)), ["There are {x} + {y} = {z} {t}."], lambda v: v["x"] + v["y"]),
    _w(["{n} has {x} {t}. {n} gives {y} to {m}. How many {t} are left?",
        "{n} had {x} {t} and lost {y} of them. How many {t} does {n} still have?",
        "A {p} had {x} {t} and sold {y} of them. How many {t} remain?",
        "There were {x} {t} on the table. {n} took {y} away. How many {t} are on the table now?",
        "{n} baked {x} {t} and {m} ate {y}. How many are left over?"],
       lambda r: (lambda y: dict(y=y, x=y + r.randint(1, 20)))(r.randint(2, 20)), ["{x} - {y} = {z} {t} are left."], lambda v: v["x"] - v["y"]),
    _w(["{n} has {x} {b} with {y} {t} in each. How many {t} does {n} have?",
        "There are {x} {b}, and each holds {y} {t}. How many {t} are there in total?",
        "A {p} packs {y} {t} into each of {x} {b}. How many {t} is that altogether?",
        "{n} fills {x} {b}. Every one has {y} {t}. What is the total number of {t}?",
        "Each of {n}'s {x} {b} contains {y} {t}. How many {t} are there?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["There are {x} * {y} = {z} {t}."], lambda v: v["x"] * v["y"]),
    _w(["{n} shares {x} {t} equally among {y} friends. How many {t} does each friend get?",
        "{x} {t} are put into {y} {b}, the same number in each. How many {t} are in each?",
        "{n} divides {x} {t} into {y} equal groups. How many {t} are in one group?",
        "A {p} splits {x} {t} evenly between {y} people. How many {t} does each one receive?",
        "{y} children share {x} {t} fairly. How many does each child get?"],
       lambda r: (lambda y: dict(y=y, x=y * r.randint(2, 10)))(r.randint(2, 10)), ["Each gets {x} / {y} = {z} {t}."], lambda v: v["x"] // v["y"]),
    _w(["{n} buys {x} {t} for ${y} each. How much does {n} pay?",
        "One of the {t} costs ${y}. {n} buys {x} of them. How much money does {n} spend?",
        "At the {p}, {t} cost {y} dollars each. What do {x} {t} cost?",
        "A {p} sells {t} at ${y} a piece. What is the price of {x} {t} in dollars?",
        "{n} sold {x} {t} at ${y} each. How many dollars did {n} earn?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["{x} {t} cost {x} * {y} = ${z}."], lambda v: v["x"] * v["y"]),
    _w(["{n} buys {x} {t} for ${y} each and pays with ${w}. How much change does {n} get?",
        "{n} has ${w}. {n} buys {x} {t} that cost ${y} each. How many dollars are left?",
        "After paying for {x} {t} at ${y} each out of ${w}, how much money does {n} have?",
        "{n} started with ${w} and bought {x} {t} at {y} dollars each. How much money remains?"],
       lambda r: (lambda x, y: dict(x=x, y=y, w=x * y + r.randint(1, 10)))(r.randint(2, 9), r.randint(2, 9)),
       ["The {t} cost {x} * {y} = ${xy}.", "{n} has {w} - {xy} = ${z} left."], lambda v: v["w"] - v["x"] * v["y"]),
    _w(["{n} has {x} {t}. {m} has {y} times as many. How many {t} does {m} have?",
        "{m} has {y} times as many {t} as {n}, who has {x}. How many {t} does {m} have?",
        "{n} collected {x} {t}. {m} collected {y} times that number. How many {t} did {m} collect?",
        "If {n} owns {x} {t} and {m} owns {y} times as many, how many {t} does {m} own?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 9)), ["{m} has {x} * {y} = {z} {t}."], lambda v: v["x"] * v["y"]),
    _w(["{n} has {x} {t}. {m} has twice as many. How many {t} do they have together?",
        "{n} read {x} pages and {m} read twice as many. How many pages did they read in total?",
        "{n} has {x} {t} and {m} has double that. How many {t} do {n} and {m} have altogether?",
        "{m} has twice as many {t} as {n}. {n} has {x}. How many {t} do both have?"],
       lambda r: dict(x=r.randint(2, 20)), ["{m} has {x} * 2 = {x2}.", "Together they have {x} + {x2} = {z}."], lambda v: v["x"] * 3),
    _w(["{n} has {x} {b} of {y} {t} each and gives away {w} {t}. How many {t} are left?",
        "{n} buys {x} {b} with {y} {t} in each. {n} loses {w} {t}. How many {t} does {n} have now?",
        "A {p} has {x} {b} of {t} with {y} in each. {w} {t} are sold. How many {t} remain?",
        "There are {x} {b} with {y} {t} each. {m} takes {w} {t}. How many {t} are left over?"],
       lambda r: (lambda x, y: dict(x=x, y=y, w=r.randint(1, min(20, x * y - 1))))(r.randint(2, 9), r.randint(2, 9)),
       ["There are {x} * {y} = {xy} {t}.", "{xy} - {w} = {z} {t} are left."], lambda v: v["x"] * v["y"] - v["w"]),
    _w(["{n} walks {x} km every day. How many km does {n} walk in {y} days?",
        "{n} reads {x} pages a day. How many pages does {n} read in {y} days?",
        "A machine in the {p} makes {x} {t} an hour. How many {t} does it make in {y} hours?",
        "{n} earns ${x} an hour and works {y} hours. How many dollars does {n} earn?",
        "{n} saves ${x} every week. How much does {n} save in {y} weeks?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["{x} * {y} = {z}."], lambda v: v["x"] * v["y"]),
    _w(["{n} is {x} years old. {m} is {y} years older. How old is {m}?",
        "{m} is {y} years older than {n}, who is {x}. What is the age of {m}?",
        "{n} is {x} years old now. How old will {n} be in {y} years?",
        "If {n} is {x} today, what age will {n} be after {y} years?"],
       lambda r: dict(x=r.randint(3, 20), y=r.randint(2, 20)), ["{x} + {y} = {z} years."], lambda v: v["x"] + v["y"]),
    _w(["A rectangle is {x} m long and {y} m wide. What is its area?",
        "What is the area of a rectangle with sides {x} and {y}?",
        "{n}'s garden is {x} m by {y} m. How many square metres is it?",
        "Find the area of a field that is {x} m long and {y} m wide."],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["The area is {x} * {y} = {z}."], lambda v: v["x"] * v["y"]),
    _w(["{n} has {x} {t}, {m} has {y} {t}. How many more {t} does {n} have than {m}?",
        "{n} scored {x} points and {m} scored {y}. By how many points did {n} win?",
        "The red ribbon is {x} cm long and the blue one {y} cm. How much longer is the red ribbon?",
        "{n} weighs {x} kg and {m} weighs {y} kg. What is the difference in kg?"],
       lambda r: (lambda y: dict(y=y, x=y + r.randint(1, 20)))(r.randint(2, 20)), ["The difference is {x} - {y} = {z}."], lambda v: v["x"] - v["y"]),
    _w(["{n} had {x} {t}, bought {y} more and then gave {w} away. How many {t} does {n} have?",
        "There were {x} people on a bus. {y} got on and {w} got off. How many people are on the bus?",
        "A {p} has {x} {t}. It gets {y} more and sells {w}. How many {t} does it have now?",
        "{n} started with {x} {t}, won {y} and lost {w}. How many {t} are left?"],
       lambda r: (lambda x, y: dict(x=x, y=y, w=r.randint(1, min(20, x + y - 1))))(r.randint(5, 20), r.randint(2, 10)),
       ["{x} + {y} = {xpy}", "{xpy} - {w} = {z}"], lambda v: v["x"] + v["y"] - v["w"]),
    _w(["Half of {n}'s {x} {t} are red. How many are red?", "{n} gives half of {x} {t} to {m}. How many {t} does {m} get?",
        "{n} ate half of the {x} {t}. How many {t} did {n} eat?", "{n} has {x} {t} and sells half of them. How many are sold?"],
       lambda r: dict(x=2 * r.randint(1, 20)), ["Half of {x} is {x} / 2 = {z}."], lambda v: v["x"] // 2),
]


def word(r):
    texts, nums, steps, result = r.choice(PROBLEMS)
    v = _vals(r)
    while v["m"] == v["n"]:
        v["m"] = r.pick(NAMES)
    v.update(nums(r))
    v["z"] = result(v)
    if "y" in v:
        v["xy"], v["xpy"] = v["x"] * v["y"], v["x"] + v["y"]
    v["x2"] = v["x"] * 2
    q = r.pick(texts).format(**v)
    return q, "\n".join(s.format(**v) for s in steps) + "\n#### %d" % v["z"], v["z"]


def sample(r):
    """-> (question, answer, number)"""
    return plain(r) if r.chance(0.4) else word(r)
