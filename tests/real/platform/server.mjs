// server.mjs - an OpenCTI in memory: Apollo Server over one of the schemas beside this file, and a second port
// for the tests to steer it.
//
//   node server.mjs --sdl seed|real|bare --token TOKEN
//
// Once both ports listen, one line of JSON on standard output names them.  It ends when standard input does.
// Control: POST /VERB with a JSON body (verbs: the table at the end), the answer is JSON.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { GraphQLScalarType, visit } from "graphql";
import { Store, problem } from "./store.mjs";

const { values: options } = parseArgs({
  options: { sdl: { type: "string" }, token: { type: "string" } },
});
const typeDefs = readFileSync(new URL(`./${options.sdl}.graphql`, import.meta.url), "utf8");
const isReal = options.sdl === "real";
const store = new Store({ sealVersion: isReal ? 2 : 1, singleManager: isReal, token: options.token });

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

// ----- hanging requests: kept until the test lets go

let waiting = [];
function hold(field, id) {
  return new Promise((release) => waiting.push({ field, id, release }));
}
function releaseAll(field) {
  for (const request of waiting) if (!field || request.field === field) request.release();
  waiting = waiting.filter((request) => field && request.field !== field);
}

// ----- what the platform asks of every document

function rootFields(document, selections) {
  const fields = [];
  for (const selection of selections) {
    if (selection.kind === "Field") fields.push(selection);
    else if (selection.kind === "InlineFragment") fields.push(...rootFields(document, selection.selectionSet.selections));
    else {
      const named = document.definitions.find((d) => d.kind === "FragmentDefinition" && d.name.value === selection.name.value);
      fields.push(...rootFields(document, named.selectionSet.selections));
    }
  }
  return fields;
}

function checkRules(document, operation, fields) {
  const broken = [];
  visit(document, { Field: (node) => void (node.alias && broken.push(`alias ${node.alias.value}`)) });
  const most = operation.operation === "mutation" ? 1 : 2;
  const seen = {};
  for (const field of fields) {
    store.count(seen, field.name.value);
    if (seen[field.name.value] === most + 1) broken.push(`${field.name.value} more than ${most} times`);
  }
  return broken;
}

const watch = {
  async requestDidStart() {
    return {
      async didResolveOperation({ document, operation, source, request }) {
        store.documents += 1;
        if (source.includes("__schema")) throw problem("FORBIDDEN_ACCESS", "GraphQL introspection not authorized!", 403);
        const fields = rootFields(document, operation.selectionSet.selections);
        const broken = checkRules(document, operation, fields);
        if (broken.length > 0) {
          store.violations.push({ broken, source });
          throw problem("BATCHING_REFUSED", `Batching of operations is limited: ${broken.join(", ")}`, 400);
        }
        const id = request.variables?.input?.id ?? request.variables?.id;
        for (const { name } of fields) {
          store.count(store.requests, name.value);
          if (name.value === "connectorsForManagers") store.list.push(Date.now());
        }
        for (const { name } of fields) {
          const hung = store.hangs[name.value] ?? [];
          if (hung.includes("*") || hung.includes(id)) await hold(name.value, id);
        }
        const wait = Math.max(store.delays["*"] ?? 0, ...fields.map((f) => store.delays[f.name.value] ?? 0));
        if (wait > 0) await sleep(wait);
      },
      async didEncounterErrors({ errors, source }) {
        for (const error of errors) {
          const code = error.extensions?.code ?? "none";
          store.count(store.failures, code);
          if (code.startsWith("GRAPHQL_") || code === "BAD_USER_INPUT") store.invalid.push({ code, message: error.message, source });
        }
      },
      // The platform answers 200 whatever went wrong inside GraphQL.
      async willSendResponse({ response }) {
        response.http.status = 200;
      },
    };
  },
};

// ----- resolvers

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
function time(text) {
  if (typeof text !== "string" || !RFC3339.test(text) || Number.isNaN(Date.parse(text)))
    throw new TypeError(`DateTime cannot represent an invalid date-time-string ${text}.`);
  return text;
}

function connectorView(connector) {
  const report = store.report(connector.id);
  const words = isReal ? null : ["starting", "stopping"];
  return {
    id: connector.id,
    standard_id: `connector--${connector.id}`,
    name: connector.name,
    title: connector.name,
    active: false,
    connector_type: connector.type,
    connector_scope: ["IPv4-Addr"],
    connector_state: null,
    connector_user_id: "88ec0c6a-13ce-5e39-b486-354fe4a7084f",
    catalog_id: "catalog",
    manager_id: null,
    manager: null,
    manager_contract_image: connector.image,
    // An enum of two words cannot carry the first value of the platform; such a field is null there.
    manager_requested_status: words && !words.includes(connector.requested) ? null : connector.requested,
    manager_current_status: connector.current,
    manager_connector_logs: isReal ? (report.logs ?? []) : (report.logs ?? []).join("\n"),
    manager_health_metrics: report.health ? { ...report.health, last_update: new Date().toISOString() } : null,
    manager_connector_uptime: null,
    manager_contract_hash: store.hash(connector),
    manager_contract_configuration: store.configuration(connector),
  };
}

function managerView(manager) {
  return {
    ...manager,
    entity_type: "ConnectorManager",
    standard_id: `manager--${manager.id}`,
    last_sync_execution: manager.last_sync,
    active: Date.now() - Date.parse(manager.last_sync) < 300000,
    about_version: store.version,
  };
}

const fields = {
  about: () => ({ version: store.version }),
  catalogs: () => store.catalogs,
  connectorManagers: () => [...store.managers.values()].map(managerView),
  connectorManager: ({ managerId }) => (store.managers.has(managerId) ? managerView(store.managers.get(managerId)) : null),
  connectorsForManagers: () => [...store.connectors.values()].map(connectorView),
  registerConnectorsManager: ({ input }) => managerView(store.register(input)),
  updateConnectorManagerStatus: ({ input }) => managerView(store.ping(input)),
  managedConnectorAdd: ({ input }) =>
    connectorView(store.add({ name: input.name, image: input.manager_contract_image, configuration: input.manager_contract_configuration })),
  managedConnectorEdit: ({ input }) =>
    connectorView(store.patch({ id: input.id, name: input.name, configuration: input.manager_contract_configuration })),
  updateConnectorCurrentStatus: ({ input }) => connectorView(store.status(input)),
  updateConnectorRequestedStatus: ({ input }) => connectorView(store.patch({ id: input.id, requested: input.status })),
  updateConnectorLogs: ({ input }) => store.logs(input),
  updateConnectorHealth: ({ input }) => store.health(input),
  deleteConnector: ({ id }) => store.remove(id),
  logout: () => null,
};

function guarded(name, resolve) {
  return (_, args, context) => {
    if (context.token !== store.token) throw problem("AUTH_REQUIRED", "You must be logged in to do this.", 401);
    const refused = store.errors[name];
    if (refused) throw problem(refused.code, refused.message ?? refused.code, refused.status ?? 500);
    return resolve(args);
  };
}

function resolversFor(text) {
  const resolvers = { Query: {}, Mutation: {} };
  if (text.includes("scalar DateTime"))
    resolvers.DateTime = new GraphQLScalarType({ name: "DateTime", serialize: time, parseValue: time, parseLiteral: (node) => time(node.value) });
  const kinds = { Query: /^type Query \{([^}]*)\}/m, Mutation: /^type Mutation \{([^}]*)\}/m };
  for (const [kind, form] of Object.entries(kinds))
    for (const [, name] of (form.exec(text)?.[1] ?? "").matchAll(/^\s*(\w+)/gm)) resolvers[kind][name] = guarded(name, fields[name]);
  return resolvers;
}

// ----- control

const brief = (connector) => ({ id: connector.id, hash: store.hash(connector) });
const verbs = {
  add: (body) => brief(store.add(body)),
  patch: (body) => brief(store.patch(body)),
  delete: ({ id }) => store.remove(id),
  manager: (body) => store.register(body),
  forget: () => void store.managers.clear(),
  single: ({ on }) => void (store.singleManager = on),
  version: ({ version }) => void (store.version = version),
  delay: ({ ms, field = "*" }) => void (store.delays[field] = ms),
  hang: ({ field, id = "*" }) => void (store.hangs[field] ??= []).push(id),
  unhang: ({ field }) => {
    if (field) delete store.hangs[field];
    else store.hangs = {};
    releaseAll(field);
  },
  error: ({ field, ...error }) => void (error.code ? (store.errors[field] = error) : delete store.errors[field]),
  state: () => store.state(),
  reset: () => {
    store.reset();
    releaseAll();
  },
};

const control = createServer(async (request, response) => {
  let status = 200;
  let answer;
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    answer = verbs[request.url.slice(1)](body) ?? null;
  } catch (error) {
    status = 500;
    answer = { error: error.message };
  }
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
});

const apollo = new ApolloServer({
  typeDefs,
  resolvers: resolversFor(typeDefs),
  plugins: [watch],
  introspection: false,
  includeStacktraceInErrorResponses: false,
  stopOnTerminationSignals: false,
});
const { url } = await startStandaloneServer(apollo, {
  listen: { host: "127.0.0.1", port: 0 },
  context: async ({ req }) => ({ token: (req.headers.authorization ?? "").replace(/^Bearer /, "") }),
});
await new Promise((listening) => control.listen(0, "127.0.0.1", listening));
process.stdin.on("end", () => process.exit(0)).resume();
console.log(JSON.stringify({ url: url.replace(/\/$/, ""), control: `http://127.0.0.1:${control.address().port}` }));
