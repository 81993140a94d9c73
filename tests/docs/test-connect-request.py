#!/usr/bin/env python3
"""gantry connect request, from outside: what it prints, and its exit codes.

usage: test-connect-request.py GANTRYD GANTRY"""
import json
import subprocess
import sys
import tempfile
import pathlib
import unittest

GANTRY = sys.argv.pop()
sys.argv = sys.argv[:1]

SCHEMA = """extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.11")
  @link(url: "https://specs.apollo.dev/connect/v0.2", import: ["@source", "@connect"])
  @source(name: "port", http: { baseURL: "http://port.test/v1", headers: [
    { name: "x-id", from: "x-request-id" }, { name: "accept", value: "application/json" }] })
type Query {
  crane(id: ID!): Crane
    @connect(source: "port", id: "crane", http: { GET: "/cranes/{$args.id}" }, selection: "id")
}
type Mutation {
  paint(id: ID!, colour: String): Crane
    @connect(source: "port", selection: "id",
      http: { POST: "/cranes/{$args.id}/paint", body: "colour: $args.colour" })
}
type Crane { id: ID }
"""


class Request(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.file = pathlib.Path(folder.name) / "port.graphql"
        cls.file.write_text(SCHEMA)

    def gantry(self, *arguments, status=0, stdin=""):
        done = subprocess.run([GANTRY, "connect", "request", *map(str, arguments)], input=stdin, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        if status:
            self.assertEqual(done.stdout, "")
        return done

    def test_a_request_is_printed_as_http_has_it(self):
        done = self.gantry(self.file, "Mutation.paint[0]", "--var", '$args={"id": "a/b", "colour": "é"}',
                           "--var", '$request={"headers": {"X-Request-Id": ["1", "2"]}}')
        self.assertEqual(done.stdout, "POST http://port.test/v1/cranes/a%2Fb/paint HTTP/1.1\n"
                         "x-id: 1\nx-id: 2\naccept: application/json\ncontent-type: application/json\n"
                         "content-length: 15\n\n{\"colour\":\"é\"}\n")
        self.assertEqual(done.stderr, "")

    def test_json_has_the_same(self):
        done = self.gantry("--format", "json", "--var", '$args={"id": 7}', "-", "crane", stdin=SCHEMA)
        self.assertEqual(json.loads(done.stdout), {
            "method": "GET", "url": "http://port.test/v1/cranes/7", "headers": [["accept", "application/json"]],
            "notes": [{"place": "source.headers.x-id", "line": 5, "column": 28,
                       "message": "the incoming request has no header 'x-request-id'"}]})

    def test_what_is_missing_is_told_with_its_place(self):
        done = self.gantry(self.file, "crane", "--var", '$request={"headers": {"x-request-id": "1"}}')
        self.assertEqual(done.stdout, "GET http://port.test/v1/cranes/ HTTP/1.1\nx-id: 1\naccept: application/json\n\n")
        self.assertEqual(done.stderr, f"{self.file}:8:71: note: no key \"id\" in an object, connect.url\n")

    def test_what_cannot_be_built_is_1(self):
        done = self.gantry(self.file, "crane", "--var", '$args={"id": ".."}', status=1)
        self.assertRegex(done.stderr, r"^gantry connect request: CONNECTOR_REQUEST_INVALID: Query\.crane\[0\], "
                         r"connect\.url at line 8, column \d+: a value would be a path segment of dots .*\n$")

    def test_a_connector_that_is_not_there_is_2(self):
        done = self.gantry(self.file, "Query.crene[0]", status=2)
        self.assertEqual(done.stderr, "gantry connect request: the schema has no connector 'Query.crene[0]'; "
                         "did you mean 'Query.crane[0]'?\n")

    def test_what_cannot_be_read_is_2(self):
        self.gantry("/nonexistent.graphql", "crane", status=2)
        self.gantry(self.file, "crane", "--var", '$args={"id"', status=2)
        self.gantry(self.file, status=2)
        self.gantry(self.file, "crane", "--format", "xml", status=2)
        done = self.gantry("-", "crane", stdin=SCHEMA.replace('GET: "/', 'GET: "http://x/'), status=2)
        self.assertIn("standard input:8:", done.stderr)
        self.assertIn("[ABSOLUTE_CONNECT_URL_WITH_SOURCE]", done.stderr)


unittest.main()
