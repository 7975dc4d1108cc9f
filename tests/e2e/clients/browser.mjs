// What every JavaScript client of the tests needs: its settings, and a browser without scripts.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';

// Debian 12 has Node 18, which keeps Web Crypto in a module; clients look for it where browsers and Node 20 have it.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

// They come as JSON on standard input.
export const settings = JSON.parse(await new Promise((resolve) => {
  let text = '';
  process.stdin.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
}));

// Cookies, one request at a time, forms as they come.
const jar = new Map();
export async function visit(url, form) {
  const answer = await fetch(url, {
    redirect: 'manual',
    method: form ? 'POST' : 'GET',
    body: form && new URLSearchParams(form),
    headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '), 'accept-language': 'en' },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split(/=(.*)/s);
    if (/max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
  const location = answer.headers.get('location');
  return { status: answer.status, text: await answer.text(), location: location && new URL(location, url).href };
}

function unescape(text) {
  const names = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(amp|lt|gt|quot);/g, (_, name) => names[name]);
}

function inputs(text) {
  const fields = {};
  for (const [input] of text.matchAll(/<input\b[^>]*>/g)) {
    const attribute = (name) => unescape(input.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? '');
    if (attribute('name')) fields[attribute('name')] = attribute('value');
  }
  return fields;
}

// Says yes on a page of ours that asks the person, who is signed in.
export async function approve(url) {
  const page = await visit(url);
  const form = page.text.split('<form').find((part) => part.includes('name="decision"'));
  assert.ok(form, page.text);
  const action = unescape(form.match(/action="([^"]*)"/)[1]);
  const sent = await visit(new URL(action, url).href, { ...inputs(form), decision: 'approve' });
  assert.ok(sent.status === 200 || sent.status === 303, sent.text);
}

// Follows redirects to the application; fills in the sign-in form when it is shown.
export async function browse(url) {
  for (let step = 0; step < 10; step += 1) {
    const page = await visit(url);
    if (page.location?.startsWith(settings.redirect_uri)) return new URL(page.location);
    if (page.location) {
      url = page.location;
      continue;
    }
    assert.equal(page.status, 200, page.text);
    const fields = inputs(page.text);
    assert.ok('password' in fields, page.text);
    const sent = await visit(new URL('/login', url).href, { ...fields, login: settings.login, password: settings.password });
    assert.equal(sent.status, 303, sent.text);
    url = sent.location;
  }
  throw new Error(`no way to the application from ${url}`);
}
