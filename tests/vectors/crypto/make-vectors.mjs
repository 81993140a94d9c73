// Makes the keys and the sealed values of this folder with Node's crypto, as OpenCTI seals them.
// Usage: node make-vectors.mjs     (writes beside itself; every run makes new keys)
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const keysDir = path.join(here, 'keys');
fs.mkdirSync(keysDir, { recursive: true });
const write = (name, text) => fs.writeFileSync(path.join(keysDir, name), text);

// ---------------------------------------------------------------- keys
const rsa = {};
for (const bits of [2048, 3072, 4096, 8192]) {
  rsa[bits] = crypto.generateKeyPairSync('rsa', { modulusLength: bits });
  const { privateKey, publicKey } = rsa[bits];
  write(`rsa-${bits}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  write(`rsa-${bits}-public-pkcs1.pem`, publicKey.export({ type: 'pkcs1', format: 'pem' }));
  write(`rsa-${bits}-public-spki.pem`, publicKey.export({ type: 'spki', format: 'pem' }));
  const der = publicKey.export({ type: 'spki', format: 'der' });
  write(`rsa-${bits}.fingerprint`, crypto.createHash('sha256').update(der).digest('hex') + '\n');
}
for (const bits of [2048, 4096]) {
  const { privateKey } = rsa[bits];
  write(`rsa-${bits}-pkcs1.pem`, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  write(`rsa-${bits}-encrypted.pem`, privateKey.export({
    type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'correct horse' }));
}
write('rsa-2048-pkcs1-encrypted.pem', rsa[2048].privateKey.export({
  type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'correct horse' }));
const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

const pkcs8 = (kind, options) =>
  crypto.generateKeyPairSync(kind, options).privateKey.export({ type: 'pkcs8', format: 'pem' });
write('bad-rsa-1024.pem', pkcs8('rsa', { modulusLength: 1024 }));
write('bad-rsa-8208.pem', pkcs8('rsa', { modulusLength: 8208 }));
write('bad-rsa-pss.pem', pkcs8('rsa-pss', { modulusLength: 2048 }));
write('bad-ed25519.pem', pkcs8('ed25519', {}));
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
write('bad-ec.pem', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }));
write('bad-ec-sec1.pem', ec.privateKey.export({ type: 'sec1', format: 'pem' }));

// A key whose private numbers do not belong to its public ones.
const jwk = rsa[2048].privateKey.export({ format: 'jwk' });
for (const part of ['d', 'dp', 'dq']) {
  const bytes = Buffer.from(jwk[part], 'base64url');
  bytes[bytes.length - 5] ^= 0x55;
  jwk[part] = bytes.toString('base64url');
}
write('bad-damaged.pem',
  crypto.createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }));

// ---------------------------------------------------------------- values
function seal(version, publicKey, text, session = crypto.randomBytes(44)) {
  const padding = version === 1
    ? { padding: crypto.constants.RSA_PKCS1_PADDING }
    : { padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const block = crypto.publicEncrypt({ key: publicKey, ...padding }, session);
  const material = session.length >= 44 ? session : Buffer.concat([session, Buffer.alloc(44)]);
  const cipher = crypto.createCipheriv('aes-256-gcm', material.subarray(0, 32), material.subarray(32, 44));
  const body = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([Buffer.from([version]), block, body, cipher.getAuthTag()]);
}

const cases = [];
const escape = (buffer) => [...buffer].map((b) =>
  b === 10 ? '\\n' : b === 9 ? '\\t' : b === 92 ? '\\\\'
    : b < 32 || b > 126 ? '\\x' + b.toString(16).padStart(2, '0') : String.fromCharCode(b)).join('');
const text = (value) => typeof value === 'string' ? value : value.toString('base64');
const opens = (name, keys, sealed, plain) =>
  cases.push(`=== ${name}\nkeys: ${keys}\nsealed: ${text(sealed)}\nopens: ${escape(Buffer.from(plain))}\n`);
const fails = (name, keys, sealed, part, looks = 'yes') =>
  cases.push(`=== ${name}\nkeys: ${keys}\nsealed: ${text(sealed)}\nfails: ${part}\nlooks-sealed: ${looks}\n`);

const plains = {
  'a password': 'a=b=c; "quoted" $HOME \\ done',
  'the empty text': '',
  'UTF-8': 'пароль, 密码, mot de passe œ, 🔑',
  'several lines': '-----BEGIN CERTIFICATE-----\nAAAA\r\n\tBBBB\n-----END CERTIFICATE-----\n',
  'blanks at the edges': '  x  ',
};
for (const version of [1, 2]) {
  for (const [what, plain] of Object.entries(plains))
    opens(`${what}, version ${version}, 4096 bits`, 'rsa-4096', seal(version, rsa[4096].publicKey, plain), plain);
  for (const bits of [2048, 3072, 8192])
    opens(`version ${version}, ${bits} bits`, `rsa-${bits}`, seal(version, rsa[bits].publicKey, 'päss'), 'päss');
  for (const rest of [0, 1, 2])
    opens(`base64 of length 3n+${rest}, version ${version}`, 'rsa-2048',
      seal(version, rsa[2048].publicKey, 'x'.repeat(rest)), 'x'.repeat(rest));
  opens(`an older key of the ring, version ${version}`, 'rsa-4096 rsa-3072 rsa-2048',
    seal(version, rsa[2048].publicKey, 'old'), 'old');
  opens(`the current key, a longer one in the ring, version ${version}`, 'rsa-2048 rsa-4096',
    seal(version, rsa[2048].publicKey, 'short'), 'short');
  const long = 'long '.repeat(2000);
  opens(`10 kB, version ${version}`, 'rsa-2048', seal(version, rsa[2048].publicKey, long), long);

  const good = seal(version, rsa[2048].publicKey, 'secret');
  const changed = (at) => { const b = Buffer.from(good); b[at < 0 ? b.length + at : at] ^= 1; return b; };
  const why = version === 2 ? 'changed or damaged' : 'another key than this manager\'s, or damaged';
  fails(`a tag that was changed, version ${version}`, 'rsa-2048', changed(-1), why);
  fails(`text that was changed, version ${version}`, 'rsa-2048', changed(-17), why);
  fails(`text that lost its last byte, version ${version}`, 'rsa-2048', good.subarray(0, good.length - 1), why);
  fails(`a block that was changed, version ${version}`, 'rsa-2048', changed(100),
    'another key than this manager\'s, or damaged');
  fails(`another key, version ${version}`, 'rsa-2048 rsa-3072',
    seal(version, other.publicKey, 'x'.repeat(200)), 'another key than this manager\'s');
  fails(`a key of another length, version ${version}`, 'rsa-4096', seal(version, other.publicKey, 'x'),
    'too short for this manager\'s key', 'no');
  fails(`one byte less than the least, version ${version}`, 'rsa-2048', good.subarray(0, 1 + 256 + 15),
    'too short', 'no');
  fails(`the version byte alone, version ${version}`, 'rsa-2048', good.subarray(0, 1), 'too short', 'no');
  fails(`a session key of 43 bytes, version ${version}`, 'rsa-2048',
    seal(version, rsa[2048].publicKey, 'x', crypto.randomBytes(43)), 'another key than this manager\'s');
  fails(`a session key of 45 bytes, version ${version}`, 'rsa-2048',
    seal(version, rsa[2048].publicKey, 'x', crypto.randomBytes(45)), 'another key than this manager\'s');
  fails(`not UTF-8, version ${version}`, 'rsa-2048',
    seal(version, rsa[2048].publicKey, Buffer.from([0x61, 0xff])), 'not UTF-8');
  fails(`a NUL byte, version ${version}`, 'rsa-2048', seal(version, rsa[2048].publicKey, 'a\0b'), 'NUL byte');
}

const good = seal(2, rsa[2048].publicKey, 'ab').toString('base64'); // ends in one pad: 1+256+2+16 = 275
for (const version of [0, 3, 255]) {
  const bytes = Buffer.from(good, 'base64');
  bytes[0] = version;
  fails(`version ${version}`, 'rsa-2048', bytes, `of version ${version}`, 'no');
}
const swapped = Buffer.from(good, 'base64');
swapped[0] = 1;
fails('version 2 that says 1', 'rsa-2048', swapped, 'another key than this manager\'s');
fails('empty', 'rsa-2048', '', 'is empty', 'no');
fails('clear text', 'rsa-2048', 'hunter2!', 'no base64', 'no');
fails('clear text that is base64', 'rsa-2048', 'hunter22', 'of version 134', 'no');
fails('a line break at the end', 'rsa-2048', `${good}\\n`, 'no base64', 'no');
fails('a blank in front', 'rsa-2048', `\\x20${good}`, 'no base64', 'no');
fails('a line break within', 'rsa-2048', `${good.slice(0, 76)}\\n${good.slice(76)}`, 'no base64', 'no');
fails('without its pad', 'rsa-2048', good.replace(/=+$/, ''), 'no base64', 'no');
fails('the URL alphabet', 'rsa-2048', `${good.slice(0, 8)}-_-_${good.slice(12)}`, 'no base64', 'no');
fails('a pad within', 'rsa-2048', `${good.slice(0, 8)}AA==${good.slice(12)}`, 'no base64', 'no');
fails('unused bits that are not zero', 'rsa-2048', good.replace(/.=$/, 'B='), 'no base64', 'no');
fails('pads alone', 'rsa-2048', '====', 'no base64', 'no');

fs.writeFileSync(path.join(here, 'values.test'), cases.join('\n'));
