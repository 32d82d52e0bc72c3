"""Tests of the generator itself; that its output is right is proven by the C++ tests and test/wire_proof."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cpp import condition, field_type, initializer, least_bytes, negated  # noqa: E402
from generate import split  # noqa: E402
from names import error_constant, member, snake  # noqa: E402
from schema import Range, Schema, SchemaError, load, parse_text  # noqa: E402

SCHEMA = Path(__file__).resolve().parents[2] / "schema"


def parse(text: str) -> Schema:
    schema = Schema()
    parse_text(schema, text, "schema/x.msg")
    return schema


def request(fields: str):
    return parse(f"# Doc.\napi X key=1 versions=0-5 flexible=3+ listeners=broker\nrequest\n{fields}\nresponse\n").apis[0].request


class Names(unittest.TestCase):
    def test_runs_of_capitals_and_digits_become_words(self):
        for kafka, ours in {"ThrottleTimeMs": "throttle_time_ms", "KRaftVersion": "kraft_version", "Enable2Pc": "enable_2pc",
                            "V3AndBelowTopics": "v3_and_below_topics", "timeoutMs": "timeout_ms"}.items():
            self.assertEqual(snake(kafka), ours)

    def test_words_of_the_language_get_an_underscore(self):
        self.assertEqual(member("Namespace"), "namespace_")
        self.assertEqual(member("Operation"), "operation")

    def test_error_names_become_constants(self):
        self.assertEqual(error_constant("NOT_LEADER_OR_FOLLOWER"), "kNotLeaderOrFollower")


class Grammar(unittest.TestCase):
    def test_versions_are_those_of_what_encloses_the_field(self):
        root = request("  Topics []Topic 2+\n    Name string\n    Id uuid 4+").root
        topic = root.fields[0].struct
        self.assertEqual(topic.fields[0].versions, Range(2, 5))
        self.assertEqual(topic.fields[1].versions, Range(4, 5))

    def test_a_question_mark_is_nullable_in_every_version_unless_it_says_which(self):
        root = request("  A string?\n  B string? null=2+ default=null\n  C string").root
        self.assertEqual([f.null for f in root.fields], [Range(0, 5), Range(2, 5), None])

    def test_shared_structs_come_before_those_that_use_them(self):
        message = request("  As []A\n  Bs []B\n  struct A\n    Bs []B\n  struct B\n    Id int32")
        self.assertEqual([s.name for s in message.structs], ["B", "A"])

    def test_mistakes_are_told_with_file_and_line(self):
        for fields, why in {
            "  A strung": "schema/x.msg:4: there is no type strung",
            "  A string maybe": "schema/x.msg:4: 'maybe' is not expected here",
            "   A string": "schema/x.msg:4: indentation is two spaces a level",
            "  A string\n      B string": "schema/x.msg:5: indented too far",
            "  A []S\n    B int8\n  C []S\n    B int8": "schema/x.msg:6: struct S is there twice",
            "  A string 7+": "schema/x.msg:4: 7+ is outside of what encloses it",
            "  A string 3+ tag=1": "XRequest.XRequest: tags must be 0, 1, 2 ... without a hole",
            "  A string tag=0": "XRequest.A: a tag in a version that is not flexible",
            "  A []A\n    As []A": "XRequest: struct A contains itself",
        }.items():
            with self.subTest(fields), self.assertRaises(SchemaError) as caught:
                request(fields)
            self.assertEqual(str(caught.exception), why)

    def test_a_release_may_serve_and_tell_less(self):
        text = "# Doc.\napi X key=1 versions=0-5 listeners=broker\nrelease 4.3 versions=2-4 advertised=0-4\nrequest\nresponse\n"
        release = parse(text).apis[0].release
        self.assertEqual((release.versions, release.advertised), (Range(2, 4), Range(0, 4)))
        self.assertIsNone(parse(text.replace(" versions=2-4 advertised=0-4", " none")).apis[0].release.versions)


class Code(unittest.TestCase):
    def test_conditions_say_no_more_than_they_must(self):
        scope = Range(2, 9)
        self.assertEqual(condition(Range(0, 32767), scope), "")
        self.assertEqual(condition(Range(3, 9), scope), "v >= 3")
        self.assertEqual(condition(Range(2, 4), scope), "v <= 4")
        self.assertEqual(condition(Range(3, 4), scope), "v >= 3 && v <= 4")
        self.assertEqual(condition(Range(2, 2), scope), "v == 2")
        self.assertEqual(negated("v >= 3"), "v < 3")
        self.assertEqual(negated("v >= 3 && v <= 4"), "!(v >= 3 && v <= 4)")

    def test_types_and_defaults_follow_the_field(self):
        message = request("  A int32 default=-1\n  B string?\n  C string? default=null\n  D []int64\n  E error\n  F records? default=null")
        types = [field_type(f, message) + initializer(f) for f in message.root.fields]
        self.assertEqual(types, ["int32_t = -1", "std::optional<std::string>{std::in_place}", "std::optional<std::string>",
                                 "std::vector<int64_t>", "KafkaError = KafkaError::kNone", "std::optional<Payload>"])

    def test_an_element_counts_its_fewest_bytes_in_any_version(self):
        message = request("  Topics []Topic\n    Name string\n    Id int32\n    More uuid 4+\n    Tagged string 3+ tag=0")
        # version 3: compact name, id, tags
        self.assertEqual(least_bytes(message.root.fields[0], message), 1 + 4 + 1)


class WholeSchema(unittest.TestCase):
    def test_every_key_from_0_to_94_is_said_once(self):
        schema = load(SCHEMA)
        self.assertEqual([api.key for api in schema.apis], list(range(95)))
        self.assertEqual(len(schema.metadata), 27)
        self.assertEqual(len(schema.coordinators), 25)
        self.assertEqual([error.code for error in schema.errors], list(range(-1, 137)))

    def test_it_is_split_in_order_and_without_loss(self):
        messages = load(SCHEMA).messages()
        parts = split(messages, 24)
        self.assertEqual([m for part in parts for m in part], messages)
        self.assertTrue(all(parts))


if __name__ == "__main__":
    unittest.main()
