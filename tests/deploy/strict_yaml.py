"""YAML that is what it seems: a key given twice is an error, not a matter of which comes last."""

import yaml


class _Loader(yaml.SafeLoader):
    pass


def _mapping(loader, node):
    seen = set()
    for key, _ in node.value:
        if key.tag == "tag:yaml.org,2002:merge":  # "<<": what it brings may be overridden
            continue
        name = loader.construct_object(key)
        if name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key '{name}' is given twice", key.start_mark)
        seen.add(name)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_all(text):
    """The documents of a YAML text without empty ones; raises yaml.YAMLError."""
    return [d for d in yaml.load_all(text, Loader=_Loader) if d is not None]
