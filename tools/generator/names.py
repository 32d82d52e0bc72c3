"""Names: Kafka's words to ours."""

import re

_KEYWORDS = {
    "and", "auto", "bool", "break", "case", "catch", "char", "class", "const", "continue", "default", "delete", "do",
    "double", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
    "int", "long", "mutable", "namespace", "new", "not", "operator", "or", "private", "protected", "public", "register",
    "requires", "return", "short", "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true",
    "try", "typedef", "union", "unsigned", "using", "virtual", "void", "volatile", "while", "xor",
    # members of every generated message
    "decode", "encode", "to_string", "unknown_tags",
}


def snake(name: str) -> str:
    """ThrottleTimeMs -> throttle_time_ms, KRaftVersion -> kraft_version, Enable2Pc -> enable_2pc."""
    name = name.replace("KRaft", "Kraft")
    name = re.sub(r"([a-z])(\d+[A-Z][a-z]*)", lambda m: m[1] + "_" + m[2].lower(), name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", name)
    return name.lower()


def member(name: str) -> str:
    """The data member for field `name`."""
    text = snake(name)
    return text + "_" if text in _KEYWORDS else text


def error_constant(name: str) -> str:
    """NOT_LEADER_OR_FOLLOWER -> kNotLeaderOrFollower."""
    return "k" + "".join(word.capitalize() for word in name.split("_"))
