"""Prompts without answers, for the intent task alone.

A tiny model learns the intent of real requests only from their vocabulary and
shape, so these word lists are wide and the templates imitate the shapes that
requests have: exam questions of every subject (qa, even with numbers, formulae
or code in them), requests for programs in any language (code), sums (math).
"""

TERMS = {
    "history": "the French Revolution|the Treaty of Versailles|the Roman Republic|feudalism|the Cold War|the Ottoman Empire|the Silk Road|the Black Death|the Magna Carta|the Industrial Revolution|the Mongol Empire|colonial rule in India|the American Civil War|the New Deal|the Reformation|apartheid|the Ming dynasty|the Congress of Vienna|the Spanish Armada|the Russian Revolution|the Monroe Doctrine|the Enlightenment|the Neolithic period|Homo erectus|the Maya civilization|Neanderthals|the Paleolithic|pottery of the Bronze Age|the Cuban Missile Crisis|imperialism|the abolition of slavery",
    "law": "negligence|consideration in contract law|the Fourth Amendment|hearsay|strict liability|adverse possession|due process|the commerce clause|mens rea|habeas corpus|an easement|burglary at common law|promissory estoppel|sovereign immunity|judicial review|the rule against perpetuities|felony murder|the International Court of Justice|customary international law|a reservation to a treaty|legal positivism|natural law|state jurisdiction over the high seas|double jeopardy|a motion to suppress the confession|tenancy in common|manslaughter|the right of self-defence under the UN Charter",
    "medicine": "hypertension|diabetes mellitus|myocardial infarction|the vagus nerve|insulin|pneumonia|the femoral artery|hepatitis B|anemia|a stroke|the pituitary gland|antibiotic resistance|an enzyme deficiency|the mitral valve|tuberculosis|asthma|Parkinson's disease|vitamin D deficiency|the cranial nerves|chest pain|renal failure|an autosomal recessive disorder|Down syndrome|HIV replication|influenza virus|a retrovirus|immunoglobulin|the trigeminal nerve|bone density in old age|folic acid|dietary fibre|body mass index|creatine phosphate in muscle",
    "biology": "photosynthesis|mitosis|natural selection|the cell membrane|DNA replication|ribosomes|osmosis|genetic drift|the Krebs cycle|mitochondria|allele frequency|a food chain|messenger RNA|symbiosis|gymnosperms|phloem|meiosis|chromosomes|speciation|homeostasis|bacteria|hormones in plants|transcription factors|prokaryotic cells|the Hardy-Weinberg law",
    "chemistry": "covalent bonds|oxidation|the pH of a buffer|isotopes|electronegativity|a catalyst|noble gases|the ideal gas law|molar mass|an exothermic reaction|hydrogen bonding|the periodic table|an aqueous solution of NaCl|H2SO4|the electron configuration of iron|titration|NMR spectra|entropy change|benzene|ionization energy|the equilibrium constant",
    "physics": "Newton's second law|angular momentum|the photoelectric effect|refraction|electric current|kinetic energy|a black hole|gravity|an inductor|magnetic flux|wavelength|quantum states|superposition|thermal conductivity|a rotating disk|the Doppler effect|a capacitor|the speed of light|radioactive decay|dark matter|the orbit of Mars|the Moon's phases|Jupiter's moons|a transformer|an operational amplifier|resistance in a circuit|sound waves|the surface temperature of Venus",
    "philosophy": "utilitarianism|Kant's categorical imperative|moral relativism|existentialism|free will|Plato's theory of forms|virtue ethics|scepticism|the problem of evil|a valid syllogism|the straw man fallacy|an ad hominem argument|begging the question|Hume on causation|the social contract|distributive justice|the doctrine of double effect|Aquinas on happiness|moral obligations to animals|euthanasia|Descartes|Nozick's theory of entitlement|the fallacy of composition|karma|the Bhagavad Gita|Sikhism|the Torah|Daoism|Confucius|the Buddha|the Qur'an|Zen Buddhism",
    "economics": "inflation|monopoly|opportunity cost|the money supply|fiscal policy|comparative advantage|elasticity of demand|GDP|the marginal product of labor|a price ceiling|perfect competition|the Phillips curve|interest rates|heteroscedasticity|an ARMA process|the multicollinearity of regressors|the OLS estimator|trade deficits|oligopoly|public goods|the exchange rate|aggregate demand|unemployment|consumer surplus|a balance sheet|depreciation of equipment|accounts receivable|an audit report|taxable income|a 40% marginal tax rate",
    "psychology": "classical conditioning|short-term memory|Freud's theory|cognitive dissonance|Piaget's stages|motivation|attachment in infants|schizophrenia|reinforcement schedules|the bystander effect|personality tests|Erikson's stages|social norms|Maslow's hierarchy|depression in adults|intelligence tests|REM sleep|stereotypes|Weber on bureaucracy|social stratification|the nuclear family|gender roles|Durkheim on suicide|ageing and memory|puberty|contraception|sexual orientation",
    "computing": "a binary search tree|quicksort's worst case|a hash table|TCP congestion control|buffer overflow|public-key encryption|a SQL injection attack|overfitting|gradient descent|a support vector machine|the time complexity of merge sort|virtual memory|a context-free grammar|a cache miss|NP-complete problems|a digital signature|cross-site scripting|the K-nearest neighbour classifier|pipelining in a CPU|Boolean expressions|a linked list|the bias of a decision tree|Python 3 list slices|the output of a for loop|BERT|dropout|a deadlock|the Linux kernel",
    "exam": "the group Z_6|a cyclic group of order 12|the field Q(sqrt(2))|a normal subgroup|an abelian group|the determinant of a matrix|the derivative of f(x) = x^3|a continuous function on [0, 1]|a linear transformation|the integral of sin(x)|the standard normal distribution|a p-value of 0.03|a random sample|the null hypothesis|a 95% confidence interval|the ring Z[x]|the polynomial x^2 + 1|the roots of a quadratic|an eigenvalue|prime numbers|a vector space over R|the median of a data set|the propositional formula (A & B) -> C|a truth table|the slope of a line|the set of real numbers",
    "society": "the United Nations|NATO|the US Senate|the Electoral College|public opinion|federalism|the Supreme Court|lobbying|the European Union|climate change|population growth|urban migration|latitude and longitude|the Amazon basin|desertification|nuclear deterrence|terrorism|human security|media relations|a crisis communication plan|branding|market segmentation|a marketing mix|supply chains|job enrichment|leadership styles|corporate social responsibility|stakeholders|whistleblowing|foreign policy under Nixon|the Marshall Plan|globalization|world literacy rates",
    "culture": "Shakespeare|the Mona Lisa|jazz music|the Olympic Games|Beethoven's symphonies|baseball|the Great Wall|Hollywood films|cubism|a sonnet|the Nobel Prize|chess openings|Greek mythology|Zeus|the Eiffel Tower|sushi|the piano|football|Moby Dick|Charles Dickens|the capital of Australia|the longest river in Africa|the highest mountain|the currency of Japan|the flag of Brazil|the Beatles|Star Wars|a chef's knife|wine|ballet",
}
ALL = {k: v.split("|") for k, v in TERMS.items()}
PERSONS = "Aristotle|Locke|Marx|Einstein|Darwin|Keynes|Rawls|Singer|Mill|Hobbes|Nietzsche|Newton|Machiavelli|Rousseau|Gandhi|Lincoln|Jefferson|Hart|Dworkin|Skinner|Jung|Kohlberg|Adam Smith|Weber|Foucault|Bentham|Thomson|Anscombe|Churchill|Luther".split("|")
PLACES = "France|Japan|Brazil|the United States|Egypt|China|Kenya|Russia|Mexico|Sweden|India|Germany|Nigeria|Italy|Turkey|Canada|Peru|Iran|South Africa|Spain|Vietnam|Poland".split("|")
WHEN = "in the nineteenth century|during the Second World War|in 1848|after 1945|in the 1960s|between 1914 and 1918|in ancient times|around 3000 B.C.|in modern society|before the revolution|as of 2015|since 1990".split("|")
SYMPTOMS = "fever|chest pain|shortness of breath|a severe headache|abdominal pain|weight loss|a rash on both arms|back pain|dizziness|blurred vision|fatigue|nausea and vomiting|joint swelling|a dry cough|numbness in the left hand|night sweats|difficulty swallowing".split("|")
ADJ = "most important|main|primary|best|most likely|least likely|correct|most common|strongest|principal|chief|most accurate|first|typical".split("|")
NOUN = "cause|feature|effect|explanation|example|criticism|consequence|function|definition|symptom|source|goal|argument for|argument against|characteristic|advantage|purpose|description|property|treatment|theory".split("|")

STEMS = [
    "What is {x}?", "What is the {a} {n} of {x}?", "Which of the following is the {a} {n} of {x}?", "Which of the following best describes {x}?",
    "Which of the following statements about {x} is true?", "Which of the following is NOT a {n} of {x}?", "Which statement about {x} is false?",
    "Which one of the following is associated with {x}?", "Why is {x} important?", "Explain {x}.", "Explain {x} in simple terms.", "Who first described {x}?",
    "How does {x} differ from {y}?", "What is the relationship between {x} and {y}?", "What happens to {x} when {y} increases?",
    "According to {p}, what is {x}?", "According to {p}, {x} is", "{p} argues that {x}", "{p}'s view of {x} is that it", "{p} held that {x} depends on",
    "The {a} {n} of {x} is", "The {a} {n} of {x} {w} was", "{X} is best defined as", "{X} refers to", "{X} can be described as", "{X} is an example of",
    "{X} is caused by", "{X} is used to", "{X} and {y} are both", "{X} differs from {y} in that", "In {c}, {x} {w} led to", "The term for {x} is",
    "What did {p} say about {x}?", "What was the role of {c} in {x} {w}?", "When did {x} begin in {c}?", "Where is {x} found?", "In which country was {x} {a}?",
    "Statement 1 | {X} is always a {n} of {y}. Statement 2 | {Y} requires {x}.", "Which of the following would {p} most likely accept about {x}?",
    "As a result of {x}, {y} {w}", "If {x} increases, then {y} will", "A decrease in {x} causes {y} to", "For which of the following is {x} the {a} {n}?",
    "Which of these is a {n} of {x} in {c}?", "All of the following are true of {x} EXCEPT", "All of the following concern {x} except:",
    "The concept of {x} was introduced by", "Describe the {n} of {x}.", "Give a short summary of {x}.", "Compare {x} and {y}.", "Is {x} the same as {y}?",
    "Does {x} affect {y}?", "Can {x} be a {n} of {y}?", "What do we call {x} {w}?", "Select the best {n} of {x}.", "Identify the {n} of {x} in the following example.",
    "How many stages of {x} are there?", "How many countries {w} took part in {x}?", "About what percentage of people in {c} know {x}?", "How much does {x} cost in {c}?",
    "What year did {x} end?", "In the context of {x}, what does {y} mean?", "{X} _______ {y}, whereas _______ is the {n} of it.",
    "Use the following key to translate the given sentence about {x}.", "I want to understand {x}. Where should I start?", "tell me about {x}", "what's {x}", "who discovered {x}",
    "What are some {n}s of {x}?", "Summarize the debate on {x} {w}.", "What is your opinion about {x}?", "Which theory explains {x}?", "Was {x} known in {c} {w}?",
    "What is meant by {x}?", "Who is most closely linked to {x}?", "To which school does {x} belong?", "Under which condition does {x} occur?", "The study of {x} shows that",
]
# Exam questions with figures in them: still qa. Numbers vary, subjects are named.
NUMERIC = [
    "A {g} kg block slides down a frictionless ramp of height {h} m. What is its speed at the bottom?",
    "A {g} ohm resistor is connected to a {h} V battery. The current in the circuit is",
    "The half-life of an isotope is {g} days. What fraction remains after {h} days?",
    "A sound wave has a frequency of {g}00 Hz and a speed of 340 m/s. Its wavelength is closest to",
    "How many units does the ring Z_{g} x Z_{h} have?", "Which elements generate the group Z_{g}{h}?",
    "Is Q(sqrt({g}{h})) a splitting field over Q?", "Let s be a cycle of length {g} in S_{h}. The sign of s is",
    "Statement 1 | Every group of order {g} is abelian. Statement 2 | Every ring of order {h} is commutative.",
    "What is the pH of a 0.{g} M solution of HCl?", "How many moles of O2 are needed to burn {g} grams of C{h}H12?",
    "A population has a mean of {g}0 and a standard deviation of {h}. Which of the following describes the sampling distribution?",
    "If the marginal propensity to consume is 0.{g}, the spending multiplier is", "The price of a good rises from ${g} to ${h} and quantity demanded falls. Demand is",
    "Suppose a regression has R-squared 0.{g} and {h}00 observations. Which of the following is correct?",
    "If f(x) = {g}x^2 + {h}, then f'(x) is", "What is the value of p in {g} = {h}p?", "If x + y = {g} and xy = {h}, which of the following must be true?",
    "The region bounded by y = x^{g} and the line y = {h} is rotated about the x-axis. The volume of the solid is",
    "Suppose that {g} percent of adults in a city exercise. A random sample of {h}0 adults is taken. Which of the following is a Type I error?",
    "An astronaut of mass {g}0 kg stands on a planet with g = {h}. What is true of the weight?",
    "Which of the following sets of numbers has a median of {g} and a range of {h}?", "Which expression is equivalent to {g} x {h}?",
    "Which of the following is closest to the square root of {g}{h}?", "What is the place value of the {g} in {h}{g}0?",
    "What is the output of print({g} // {h}) in Python 3?", "What is the value of x after x = [{g}, {h}]; x.append(1) in Python 3?",
    "Let x = {g}. What is x << {h} in Python 3?", "What is the time complexity of for i in range(n): for j in range({g}): s += {h}?",
    "A taxpayer received a gift of stock worth ${g},{h}00 that cost the donor $400. The taxpayer's basis in the stock is",
    "Company X issued {g}00 shares of $1 par common stock at ${h} each. What is recorded as additional paid-in capital?",
    "In 20{g}{h}, roughly what share of the world population lived in cities?", "As of 201{h}, how many billion people had access to electricity?",
    "A star is {g} parsecs away and has a magnitude of {h}. It is", "The distance from the Earth to the Sun is about",
    "A {g} year lease of land was signed for ${h}00 a month. The landlord sold the land. What is the tenant's {n}?",
    "Two coins are tossed {g} times. Which of the following describes the events?", "A test has a reliability of .{g}{h}. This means that",
    "A sample of {g}0 patients received a drug and {h}0 a placebo. What kind of study is this?",
]
CASES = [
    "A {g}{h}-year-old {mw} comes to the physician because of {s} and {s2} for {g} days. {He} has a history of {m}. {His} temperature is 38.{h} C, pulse is 9{h}/min, and blood pressure is 1{g}0/8{h} mm Hg. Which of the following is the most likely diagnosis?",
    "A {g}{h}-year-old {mw} is brought to the emergency department with {s}. Examination shows {s2}. Which of the following is the most appropriate next step?",
    "A {mw} with {m} develops {s} after surgery. Laboratory studies show a leukocyte count of {g},{h}00. What is the most likely cause?",
    "A woman sued a man for {l}. The man had sold her a house {w2}. At trial, the man objected to the evidence on {l2}. How should the court rule?",
    "A defendant was charged with {l}. A witness testified that she saw him near the store at night. The defendant moved to exclude the testimony. The motion should be",
    "A state passed a statute concerning {l}. A resident of another state challenged it in federal court. The best argument against the statute is",
    "A landowner conveyed a parcel to his nephew for life, then to his niece. The nephew refused to pay taxes. Under {l}, who will prevail?",
    "A buyer agreed in writing to purchase {g}00 widgets for ${h},000 from a seller. The seller failed to deliver. If the buyer sues, the court will most likely find",
    "For which of these two scenarios does the main character (who uses I to describe themself) do something clearly morally wrong, according to ordinary moral standards in the US as of early 2020? Scenario 1 | I {v1}. Scenario 2 | I {v2}.",
    "For which of these two scenarios does the main character do something clearly morally wrong? Scenario 1 | I {v1} with my {f}. Scenario 2 | I {v2} at the {b}.",
    "This question refers to the following information.\n\"{q}\"\n{p}, speech to the assembly, 18{g}{h}\nWhich of the following best explains the point of view of the author on {x}?",
    "This question refers to the following information.\n{q} {q2}\nThe passage best illustrates {x} in {c} {w}. The ideas in it were most directly influenced by",
    "Read the following excerpt from {p}: \"{q}\" What does the author mean?",
    "A researcher studies {x} in a group of {g}{h} children. One group is shown {y}. The other group is not. The independent variable is",
    "A child says that the taller glass has more water. According to {p}, this shows",
    "Mrs. Smith, aged {g}{h}, noticed that she could not remember {x}. Her doctor suspects {m}. What should the nurse do?",
    "In a small town in {c}, people disagree about {x}. {p} would say that the dispute is about",
    "Select the best translation into predicate logic: {X} is a {n} of {y}. (a: {p}; Bxy: x borrows y)",
    "An argument against {x} claims that everyone who accepts it also accepts {y}. This is a fallacy because",
    "An accountant finds that {x} was not recorded {w}. Which of the following entries is required?",
]
VERBS = "threw the letter away|told my brother the truth about the money|fed the stray cat in the garden|hid the keys from my roommate|shared my lunch with a classmate|kicked the sleeping dog|returned the wallet to its owner|painted the fence blue|took the medicine from the shelf|sang loudly at the funeral|wore my seatbelt in the car|ran over the neighbour's bicycle on purpose|helped the tourist find the station|poured paint into the river|lent my umbrella to a stranger".split("|")
QUOTES = "The people of this land shall never again be ruled by those who do not hear them.|We hold that liberty is worth more than gold, and that no king may take it.|The wealth of a nation lies in the work of its citizens.|Trade has brought our cities riches, yet the poor remain without bread.|Let every man worship as his conscience tells him.|Our armies crossed the river at dawn and the city fell within a week.|The machines have taken the weaver's loom and with it his pride.|No law can be just that is made for one class alone.|Women must be admitted to the franchise on the same terms as men.|The new world offers land to all who will till it.".split("|")

CODE = [
    "Write a {lang} program that {t}.", "Write a {lang} function that {t}.", "Write a {lang} script which {t}.", "Implement {alg} in {lang}.", "Implement {alg}.",
    "How can I {v} in {lang}?", "Can you code {alg} in {lang}?", "Fix the bug in this {lang} code:\n\n{code}", "Refactor this function:\n\n{code}", "Write unit tests for the following code.\n\n{code}",
    "Translate this code to {lang}:\n{code}", "Write a class in {lang} that {t}.", "Write a regular expression that matches {re}.", "Write a SQL query that returns {sql}.",
    "Complete the following {lang} code:\n{code}", "Write a python function to {v}.", "Write a function to {v}.", "Write a function to {v} using lambda function.", "Write a function to {v} from the given list.",
    "Write a program to {v}.", "Create a REST endpoint in {lang} that {t}.", "Generate code for {alg}", "{lang} code to {v}", "code to {v} please",
    "Add type hints to this function\n{code}", "Optimize this code:\n```\n{code}\n```", "Why does this code not compile?\n\n{code}", "Write an HTML page with {html}.",
    "Debug this {lang} function for me:\n{code}", "Write a shell command that {t}.", "I have this code:\n{code}\nMake it faster.", "Write a {lang} method that takes a list and {t}.",
    "Given a list of numbers, write a function that {t}.", "Create a Python decorator that {t}.", "Write a recursive function to {v}.", "Develop a small {lang} tool that {t}.",
]
LANGS = "Python|JavaScript|C++|Java|Rust|Go|C|TypeScript|Bash|Ruby|Kotlin|PHP|python|Swift|R|C#".split("|")
TASKS = "reads a CSV file and prints the rows|counts the words in a file|sorts the records by date|prints the first 10 primes|parses JSON from a string|downloads a web page|removes duplicate lines|checks a password|converts Celsius to Fahrenheit|draws a triangle of stars|returns the longest common prefix|finds the missing number|merges two sorted lists|computes the median|rotates the matrix by 90 degrees|validates an email address|renames all files in a folder|simulates a dice roll|prints the calendar of a month|encodes text in Morse code|keeps a to-do list|solves a maze|computes the total price of a cart".split("|")
ALGS = "binary search|quicksort|a linked list|a stack with two queues|depth-first search|a LRU cache|Dijkstra's algorithm|bubble sort|a binary tree|the sieve of Eratosthenes|merge sort|a hash map|tic-tac-toe|a thread pool|a bank account class|matrix multiplication|the game of life|a tokenizer|a trie|the knapsack problem|the edit distance|a priority queue".split("|")
DOES = "reverse a string|find the second largest element|test whether a number is prime|flatten a nested list|sort a dictionary by value|count the occurrences of an element|find the common elements of two lists|turn a tuple into a string|delete the last item of a list|read a file line by line|compute the nth Fibonacci number|find the best run of numbers in an array|tell whether two words use the same letters|split a list into chunks|write a number in binary|compute the area of a hexagon|find the surface of a cone|measure the border of a field|multiply the entries of a list|join two lists|open a socket|test whether an array is in order|find the gap in a sequence|swap two variables|compute a weighted average|pick the words with at least six letters|get the month from a date|glue the elements of a tuple together|mask digits with stars|add the digits of an integer|rotate a queue|build a histogram|round prices to cents|merge overlapping spans".split("|")
REGEX = "an email address|a phone number|dates like 2020-01-31|words that start with a|an IP address|hexadecimal colours".split("|")
SQL = "the ten oldest customers|all orders of 2020|the average salary of each department|duplicate rows|users without orders".split("|")
HTML = "a login form|a table of three rows|a red button|a menu and a footer|two columns".split("|")
PREDS = "is a multiple of|is smaller than|is equal to|is in|appears before|can be divided by".split("|")
SIG_NAMES = "solve|check_all|collect_pairs|compare_rows|pack_text|unpack_text|keep_if|bill_total|fill_tank|rank_players|advance|good_code|top_score|mix_values|has_room|chop|pair_up|cheapest_route|read_tokens|window_totals|heaviest|zip_with|feed_animals|nearest_pair|swap_ends|label_rows|short_terms|group_by_size|walk_tree|odd_order|mirror|shift_digits|to_base|never_falls|take_first|merge_logs|count_runs|pick_one|spin|stack_boxes|paint_cells|word_score|log_name_ok|cut_list|tidy|f|func|measure|blend|shrink".split("|")
SIG_ARGS = "lst|arr|s|n|x|text|numbers|q|a, b|n, m|x, y|lst1, lst2|strings: List[str]|numbers: List[int]|string: str|n: int|arr, k|s: str, n: int|grid, k|a: int, b: int|l: list|l: list, t: int|names|txt|game, guess|dct|number, need, remaining|interval1, interval2".split("|")
DOC = ["Given {a}, return {b}.", "Here is {a}; the task is to return {b}.", "Return {b} of {a}.", "Create a function that takes {a} and returns {b}.",
       "This function takes {a} and should return {b}. If there is none, return None.", "Write a function which returns {b} from {a}.", "{A} is given; find {b}.",
       "Check if {a} has {b}.", "It returns True if {a} contains {b}, and False otherwise.", "Implement a function over {a} that gives {b}, each value once.",
       "The job here is to find {b} in {a}. Note that the input is not empty.", "Mina would like {b}. Help her, given {a}.", "For a given {a}, find {b}."]
DOC_A = "a list of integers|a string of words|a positive integer n|two lists of strings|a list with at least one number|a string s|three counters|a dictionary|an array of ages|a table of numbers|two words|a short sentence|the weights of two parcels|a square board|the corners of a polygon|a list of prices|a log line".split("|")
DOC_B = "the sum of every other element|the largest one|the number of capital letters|a list of neighbours|the entries ordered by size|the lowest value and where it stands|the longest item|True or False|a tuple of counts|the best product of two entries|the volume rounded to 3 digits|the cheapest way across|the unmatched quotes|how many letters are lower case|the next square number|the values in order|the spread of the values|a new string without digits|how often they meet|the items that occur twice|a shortened text|the value of the expression".split("|")
BODY = ["for i in range(len(x)):\n        if x[i] > 0:\n            y.append(x[i])\n    return y", "return sorted(x)", "total = 0\n    for v in x:\n        total += v\n    return total",
        "if n == 0:\n        return 1\n    return n * f(n - 1)", "while lo < hi:\n        mid = (lo + hi) // 2", "print(x)\n    return None"]
OTHER = ["#include <vector>\nint {f}(std::vector<int> v) {{\n  int s = 0;\n  for (int x : v) s += x;\n  return s;\n}}", "function {f}(a) {{\n  return a.filter(x => x > {k});\n}}",
         "public static int {f}(int n) {{\n    return n * {k};\n}}", "fn {f}(n: u32) -> u32 {{\n    n + {k}\n}}"]


def snippet(r):
    if r.chance(0.3):
        return r.pick(OTHER).format(f=r.pick(SIG_NAMES), k=r.randint(1, 9))
    return "def %s(%s):\n    %s" % (r.pick(SIG_NAMES), r.pick(SIG_ARGS), r.pick(BODY))


def signature(r):
    """A signature with a docstring to complete, of a task we need not solve."""
    a, b = r.pick(DOC_A), r.pick(DOC_B)
    lines = [r.pick(DOC).format(a=a, A=a[0].upper() + a[1:], b=b) for _ in range(r.choice([1, 1, 1, 2, 3]))]
    f, args = r.pick(SIG_NAMES), r.pick(SIG_ARGS)
    typed = ":" in args
    def value():
        return r.choice([str(r.randint(-9, 99)), "'%s'" % "".join(r.choice("abcdeXYZ ") for _ in range(r.randint(0, 8))),
                         str([r.randint(-9, 30) for _ in range(r.randint(0, 6))]), "True", "False", "[]", "None", '["abc", "b"]', "%.1f" % (r.random() * 9)])
    n = args.count(",") + 1
    form = r.pick([">>> {c}\n    {v}", "{c} -> {v}", "{c} ==> {v}", "{c} == {v}", "{c} = {v}", "{c} should return {v}", "For x = {c} the output is {v}"])
    ex = "\n    ".join(form.format(c="%s(%s)" % (f, ", ".join(value() for _ in range(n))), v=value()) for _ in range(r.randint(0, 4)))
    note = r.choice(["", "", "\n    Example:", "\n    Examples:", "\n    For example:", "\n\n    Note: ignore the order."])
    head = r.choice(["", "", "", "from typing import List\n\n\n", "import math\n\n\n", "\n", "from typing import List, Optional\n\n\n",
                     "\ndef helper(x: int):\n    return x + 1\n\n\n"])
    q = r.choice(['"""', '"""', "'''"])
    return "%sdef %s(%s)%s:\n    %s%s%s%s%s\n    %s\n" % (
        head, f, args, r.choice([" -> int", " -> bool", " -> List[int]", " -> str"]) if typed else "", q, r.choice(["", " ", "\n    "]),
        "\n    ".join(lines), note, "\n    " + ex if ex else "", q)


def code(r):
    if r.chance(0.5):
        return signature(r)
    return r.pick(CODE).format(lang=r.pick(LANGS), t=r.pick(TASKS), alg=r.pick(ALGS), v=r.pick(DOES), re=r.pick(REGEX), sql=r.pick(SQL),
                               html=r.pick(HTML), code=snippet(r))


def _term(r):
    return r.pick(ALL[r.choice(list(ALL))])


def _cap(s):
    return s[0].upper() + s[1:]


def question(r):
    """One exam-like or everyday question about the real world, without choices."""
    kind = r.random()
    topic = ALL[r.choice(list(ALL))]
    x, y = r.pick(topic), r.pick(topic if r.chance(0.7) else ALL[r.choice(list(ALL))])
    v = dict(x=x, y=y, X=_cap(x), Y=_cap(y), a=r.pick(ADJ), n=r.pick(NOUN), p=r.pick(PERSONS), c=r.pick(PLACES), w=r.pick(WHEN),
             g=r.randint(2, 9), h=r.randint(1, 9))
    if kind < 0.62:
        return r.pick(STEMS).format(**v)
    if kind < 0.8:
        return r.pick(NUMERIC).format(**v)
    man = r.chance(0.5)
    v.update(mw="man" if man else "woman", He="He" if man else "She", His="His" if man else "Her", s=r.pick(SYMPTOMS), s2=r.pick(SYMPTOMS),
             m=r.pick(ALL["medicine"]), l=r.pick(ALL["law"]), l2=r.pick(ALL["law"]), w2=r.pick(WHEN), v1=r.pick(VERBS), v2=r.pick(VERBS),
             f=r.pick(["friend", "mother", "boss", "neighbour", "teacher"]), b=r.pick(["beach", "office", "party", "store", "park"]),
             q=r.pick(QUOTES), q2=r.pick(QUOTES))
    return r.pick(CASES).format(**v)


def choice(r):
    """One answer text as exams offer them."""
    k = r.random()
    x, y = _term(r), _term(r)
    if k < 0.35:
        return x
    if k < 0.5:
        return str(r.choice([r.randint(0, 200), round(r.random() * 20, 1), "%d%%" % r.randint(1, 99), "$%d" % r.randint(5, 900), "%d/%d" % (r.randint(1, 9), r.randint(2, 12))]))
    if k < 0.58:
        return r.pick(["True, False", "False, True", "True, True", "False, False", "Wrong, Not wrong", "Not wrong, Wrong", "I only", "I and II only", "None of the above", "All of these"])
    return _cap(r.pick(["the {n} of {x}", "{x} and {y}", "an increase in {x}", "It leads to {x}", "because {x} is a {n} of {y}", "{x}, since {y} did not apply",
                        "the belief that {x} is a {n}", "neither {x} nor {y}", "more {x} than {y}", "it prevents {x} {w}"]).format(x=x, y=y, n=r.pick(NOUN), w=r.pick(WHEN)))


SUMS = ["Can you compute {a} {o} {b}?", "Can you tell me what {a} {o} {b} is?", "Can you add {a} and {b}?", "Can you multiply {a} by {b} for me?", "Could you calculate {a} {o} {b}?",
        "Do you know what {a} {o} {b} is?", "what's {a}{o}{b}", "What is {a}% of {b}0?", "What is half of {a}?", "Double {a} and add {b}.", "What is the sum of {a} and {b}?",
        "What is the product of {a} and {b}?", "What is the average of {a}, {b} and {c}?", "How many minutes are in {c} hours?", "What is {c} squared?",
        "I need the result of {a} {o} {b}.", "Give me the answer to {a} {o} {b}.", "{a} {o} {b} equals what?", "What does {a} {o} {b} equal?", "How much do {a} and {b} make?",
        "Work this out: {a} {o} {b}", "If I have {a} and get {b} more, how many do I have?", "Take {b} from {a}.", "What do {a} and {b} add up to?", "Is {a} {o} {b} more than {c}?",
        "Add up {a}, {b} and {c}.", "A train travels {a} km an hour for {c} hours. How far does it go?", "A shirt costs ${a} and is {b}% off. What is the new price?",
        "Find the number that is {a} less than {b}{c}.", "Count from {a} in steps of {c}. What is the fifth number?", "Let me know what {a} {o} {b} comes to.",
        "My bill is ${a} and I leave a tip of ${c}. What do I pay in total?", "Share ${a} between {c} people.", "{a} plus {b} minus {c}?", "({a} + {b}) * {c} = ?",
        "Bring me the total of {a} and {b}."]


def sums(r):
    return r.pick(SUMS).format(a=r.randint(2, 99), b=r.randint(2, 99), c=r.randint(2, 12), o=r.choice(["+", "-", "*", "/", "plus", "minus", "times", "divided by", "x"]))
