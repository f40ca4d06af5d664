"""What all programs do with their command lines."""

import unittest

from support import ProgramTest

PROGRAMS = ["milena-demo", "milena-producer", "milena-consumer", "milena-perf", "milena-verifiable-producer",
            "milena-verifiable-consumer", "milena-cluster", "milena-decode"]


class Usage(ProgramTest):
    def test_help(self):
        for program in PROGRAMS:
            self.assertIn(f"usage: {program}", self.succeed(program, "--help"))

    def test_unknown_option(self):
        for program in PROGRAMS:
            self.refuse(2, [program, "--gregor", "--help"], program, "--gregor", "samsa")

    def test_value_is_missing(self):
        self.refuse(2, ["--count needs a value"], "milena-perf", "produce", "--count")

    def test_required_option_is_missing(self):
        self.refuse(2, ["--topic is missing"], "milena-perf", "produce", "--bootstrap", "localhost:1")
        self.refuse(2, ["--group-id is missing"], "milena-verifiable-consumer", "--topic", "t", "--bootstrap-server", "b:1")

    def test_numbers(self):
        for text in ("x", "", "1x", "0", "-5", "99999999999999999999"):
            self.refuse(2, ["--count needs a number", f'"{text}"'], "milena-perf", "produce", "--count", text)

    def test_words(self):
        there = ["--bootstrap", "localhost:1", "--topic", "t"]
        self.refuse(2, ['"walk"'], "milena-perf", "walk", *there)
        self.refuse(2, ["--mode", '"fast"'], "milena-perf", "produce", *there, "--mode", "fast")
        self.refuse(2, ["--conf needs name=value"], "milena-perf", "produce", *there, "--conf", "acks")
        self.refuse(2, ["--acks"], "milena-verifiable-producer", "--topic", "t", "--bootstrap-server", "b:1", "--acks", "2")
        self.refuse(2, ["NAME:PARTITIONS"], "milena-cluster", "--topic", "t:many")

    def test_equals_sign(self):
        self.refuse(2, ["--count needs a number"], "milena-perf", "produce", "--count=x")

    def test_properties(self):
        there = ["--bootstrap", "localhost:1", "--topic", "t"]
        self.refuse(1, ["linger.sm", "linger.ms"], "milena-perf", "produce", *there, "--conf", "linger.sm=1")
        self.refuse(1, ["no-such.properties"], "milena-producer", "no-such.properties")


if __name__ == "__main__":
    unittest.main()
