// What graphql-js says of each document: reads lines of {"schema", "document"} (texts; without a document the schema
// itself is meant), prints a line of {"ok", "errors": [{"line", "column", "message"}]} for each.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.argv[2] + "/");
const g = require("graphql");
const { validateSDL } = require("graphql/validation/validate.js");

function shown(error) {
  const at = error.locations?.[0];
  return { line: at?.line ?? 0, column: at?.column ?? 0, message: error.message };
}

function readSchema(text) {
  let parsed;
  try {
    parsed = g.parse(text);
  } catch (error) {
    return { errors: [shown(error)] };
  }
  const found = validateSDL(parsed);
  if (found.length) return { errors: found.map(shown) };
  const schema = g.buildASTSchema(parsed, { assumeValidSDL: true });
  return { schema, errors: g.validateSchema(schema).map(shown) };
}

function readDocument(schema, text) {
  try {
    return g.validate(schema, g.parse(text)).map(shown);
  } catch (error) {
    return [shown(error)];
  }
}

const schemas = new Map();
for (const line of readFileSync(0, "utf8").split("\n")) {
  if (!line) continue;
  const { schema, document } = JSON.parse(line);
  if (!schemas.has(schema)) schemas.set(schema, readSchema(schema));
  const known = schemas.get(schema);
  const errors = document === undefined ? known.errors : readDocument(known.schema, document);
  console.log(JSON.stringify({ ok: errors.length === 0, errors }));
}
