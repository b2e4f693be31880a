"""Renders templates with the jinja2 package, set up as Hugging Face Transformers sets it up.

    render_with_jinja2.py FOLDER

For each template in FOLDER (templates/*.jinja, and those in snippets.txt, apart by lines of
dashes) and each conversation (conversations.json; a snippet has the first alone) writes to
standard output: [[name, number of the conversation, text or null], ...] as JSON; null: it raised.
"""
import json
import os
import pathlib
import sys
import time

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

NOW = 1_700_000_000  # 14 Nov 2023
BOS, EOS = "<s>", "</s>"


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def strftime_now(form):
    return time.strftime(form, time.localtime(NOW))


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = strftime_now
    return env


def render(env, source, conversation):
    variables = {"bos_token": BOS, "eos_token": EOS, "tools": None, "documents": None}
    variables.update(conversation)
    try:
        return env.from_string(source).render(**variables)
    except Exception:  # templates raise what they like
        return None


def main(folder):
    env = environment()
    conversations = json.loads((folder / "conversations.json").read_text("utf-8"))
    answers = []
    # A file beside others may be named too, for templates that are not the project's.
    for path in sorted((folder / "templates").glob("*.jinja")):
        source = path.read_bytes().decode("utf-8")
        for i, conversation in enumerate(conversations):
            answers.append([path.name, i, render(env, source, conversation)])
    snippets = folder / "snippets.txt"
    if snippets.exists():
        for i, source in enumerate(snippets.read_text("utf-8").split("\n----\n")):
            answers.append([f"snippet {i + 1}", 0, render(env, source, conversations[0])])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    main(pathlib.Path(sys.argv[1]))
