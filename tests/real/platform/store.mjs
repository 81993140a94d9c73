// store.mjs - what the platform knows: managers, connectors and the reports about them.
//
// Sealed values have the layout that the platforms use: one version byte, the RSA block over 32 bytes of key and
// 12 of nonce, then AES-256-GCM's ciphertext with its 16-byte tag, all in base64.
import crypto from "node:crypto";
import { GraphQLError } from "graphql";

export function problem(code, message, httpStatus, genre = "BUSINESS") {
  return new GraphQLError(message, {
    extensions: { code, data: { http_status: httpStatus, genre } },
  });
}

export function seal(text, publicKey, version) {
  const key = crypto.randomBytes(32);
  const nonce = crypto.randomBytes(12);
  const padding =
    version === 1
      ? { padding: crypto.constants.RSA_PKCS1_PADDING }
      : { padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
  const block = crypto.publicEncrypt({ key: publicKey, ...padding }, Buffer.concat([key, nonce]));
  const cipher = crypto.createCipheriv("aes-256-gcm", key, nonce);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([Buffer.from([version]), block, body]).toString("base64");
}

// As long as the manager's: where a schema does not say what is sealed, a value is known by the length of the own key.
const foreignKey = () =>
  crypto.generateKeyPairSync("rsa", {
    modulusLength: 3072,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).publicKey;

export class Store {
  constructor({ sealVersion, singleManager, token }) {
    this.sealVersion = sealVersion;
    this.token = token;
    this.reset();
    this.singleManager = singleManager;
  }

  reset() {
    this.version = "7.260224.0";
    this.managers = new Map();
    this.connectors = new Map();
    this.reports = new Map(); // kept after a deletion: a late report must be seen
    this.requests = {}; // root field -> count
    this.failures = {}; // code -> count
    this.invalid = []; // documents that the schema refused
    this.violations = []; // documents that break a rule of the platform
    this.documents = 0;
    this.delays = {}; // root field, or "*" -> ms
    this.hangs = {}; // root field -> list of connector ids, or ["*"]
    this.errors = {}; // root field -> {code, message, status}
    this.list = []; // times at which the connectors were listed
    this.catalogs = [];
  }

  // ----- managers

  register({ id, name, public_key }) {
    if (name.trim().length < 2)
      throw problem("VALIDATION_ERROR", "name must have at least 2 characters", 500);
    const others = [...this.managers.keys()].filter((other) => other !== id);
    if (this.singleManager && others.length > 0)
      throw problem("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance", 500, "TECHNICAL");
    const manager = { id, name, public_key, last_sync: new Date().toISOString() };
    this.managers.set(id, manager);
    return manager;
  }

  ping({ id }) {
    const manager = this.managers.get(id);
    if (!manager) throw problem("FUNCTIONAL_ERROR", "Cant find element to update", 400);
    manager.last_sync = new Date().toISOString();
    return manager;
  }

  // ----- connectors

  entry({ key, value, secret, version, other, sealed }) {
    if (sealed !== undefined) return { key, value: sealed, encrypted: true };
    if (!secret) return { key, value, encrypted: false };
    const [first] = this.managers.values();
    if (!other && !first) throw problem("UNSUPPORTED_ERROR", "No manager registered", 500);
    return {
      key,
      value: seal(value, other ? foreignKey(first?.public_key) : first.public_key, version ?? this.sealVersion),
      encrypted: true,
    };
  }

  add({ id, name, image, configuration = [], requested = "stopped", type = "EXTERNAL_IMPORT", noise = true }) {
    const entries = configuration.map((item) => this.entry(item));
    const connector = {
      id: id ?? crypto.randomUUID(),
      name,
      image,
      entries,
      type,
      requested,
      noise,
      current: null,
      timestamp: new Date().toISOString(),
    };
    this.connectors.set(connector.id, connector);
    return connector;
  }

  find(id) {
    const connector = this.connectors.get(id);
    if (!connector) throw problem("FUNCTIONAL_ERROR", "Cant find element to update", 400);
    return connector;
  }

  patch({ id, configuration, bump, ...fields }) {
    const connector = this.find(id);
    if (configuration) connector.entries = configuration.map((item) => this.entry(item));
    if (bump) connector.timestamp = new Date().toISOString() + crypto.randomUUID();
    Object.assign(connector, fields);
    return connector;
  }

  remove(id) {
    if (!this.connectors.delete(id)) throw problem("ALREADY_DELETED_ERROR", "Already deleted element", 404);
    return id;
  }

  // What the platform adds behind the contract's own entries.
  configuration(connector) {
    const own = (key, value) => ({ key, value, encrypted: false });
    const entries = [
      ...connector.entries,
      own("CONNECTOR_ID", connector.id),
      own("CONNECTOR_NAME", connector.name),
      own("CONNECTOR_TYPE", connector.type),
      own("OPENCTI_TOKEN", this.token),
    ];
    if (connector.noise)
      entries.push(
        own("HTTPS_CA_CERTIFICATES", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"),
        own("HTTPS_PROXY_REJECT_UNAUTHORIZED", "true"),
      );
    return entries;
  }

  hash(connector) {
    const subject = {
      image: connector.image,
      subHash: this.configuration(connector).map((entry) => `${entry.key}|${entry.value}`),
      state: connector.timestamp,
    };
    return crypto.createHash("sha256").update(JSON.stringify(subject)).digest("hex").slice(0, 8);
  }

  // ----- reports

  report(id) {
    if (!this.reports.has(id)) this.reports.set(id, { statuses: [], logs: null, logs_times: [], health: null, health_times: [] });
    return this.reports.get(id);
  }

  status({ id, status }) {
    const connector = this.find(id);
    connector.current = status;
    this.report(id).statuses.push({ status, at: Date.now() });
    return connector;
  }

  logs({ id, logs }) {
    const report = this.report(id);
    report.logs = logs;
    report.logs_times.push(Date.now());
    return id;
  }

  health({ id, ...facts }) {
    const report = this.report(id);
    report.health = facts;
    report.health_times.push(Date.now());
    return id;
  }

  count(table, key) {
    table[key] = (table[key] ?? 0) + 1;
  }

  state() {
    const connectors = {};
    for (const [id, connector] of this.connectors)
      connectors[id] = { ...connector, hash: this.hash(connector), configuration: this.configuration(connector) };
    return {
      now: Date.now(),
      version: this.version,
      managers: Object.fromEntries(this.managers),
      connectors,
      reports: Object.fromEntries(this.reports),
      requests: this.requests,
      failures: this.failures,
      invalid: this.invalid,
      violations: this.violations,
      documents: this.documents,
      list: this.list,
    };
  }
}
