// A person's way through the pages, in Chromium: sign-in, wrong password, language, portal, single sign-on, sign-out.
//
// node walk.mjs SETTINGS.json: { base, screenshots, pictures, chromium, login, password,
// applications: [{ id, name, secret, port }] }; with `console: true` only the console, of which one plan is held; with
// `test_logins: [links]` only what an application of others meets; with `frames: true` only signing out of several.
// Prints one line a step; ends with 1 at the first thing that is not as it should be.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { base, login, password } = settings;
mkdirSync(settings.screenshots, { recursive: true });

const words = {
  "zh-CN": { signIn: "登录", wrong: "登录名或密码不正确", signOut: "退出", signedOut: "您已退出", other: "English" },
  en: { signIn: "Sign in", wrong: "Login name or password is not right", signOut: "Sign out", signedOut: "You are signed out", other: "中文" },
};
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const violations = [];
// What a page had asked for when it was left: must have arrived for another page.
const arrived = new Set();
const leftBehind = new Set();

async function open(browser, language, options = {}) {
  const context = await browser.newContext({ locale: language, viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on("console", (message) => {
    if (/content security policy|refused to/i.test(message.text())) violations.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => violations.push(`${page.url()}: ${error}`));
  page.on("requestfinished", (request) => arrived.add(request.url()));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    if (why === "net::ERR_ABORTED" && request.url().startsWith(`${base}/assets/`)) leftBehind.add(request.url());
    else violations.push(`${request.url()}: ${why}`);
  });
  return page;
}

const picture = (page, name) => page.screenshot({ path: join(settings.screenshots, `${name}.png`), fullPage: true });

async function accessible(page, name) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run());
  const faults = found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(faults, [], `${name} is not accessible`);
}

async function signIn(page, secret = password) {
  await page.fill("#login", login);
  await page.fill("#password", secret);
  await page.press("#password", "Enter");
}

/** Sign-in with a mistake, the language switch, portal, sessions, sign-out. */
async function visit(browser, language) {
  const say = words[language];
  const page = await open(browser, language);
  await page.goto(`${base}/`);
  assert.equal(await page.textContent("button[type=submit]"), say.signIn);
  assert.equal(await page.getAttribute("html", "lang"), language);
  assert.equal(await page.evaluate(() => document.activeElement.id), "login", "one can begin to type");
  await picture(page, `sign-in-${language}-1440`);
  await accessible(page, "the sign-in page");

  await signIn(page, "not the password");
  await page.waitForSelector("[role=alert]");
  assert.ok((await page.textContent("[role=alert]")).includes(say.wrong));
  assert.equal(await page.inputValue("#login"), login, "the login name need not be typed again");
  assert.equal(await page.evaluate(() => document.activeElement.id), "password");
  await picture(page, `wrong-password-${language}-1440`);
  await accessible(page, "the sign-in page with a problem");

  await page.click(`nav.switch >> text=${say.other}`);
  assert.notEqual(await page.getAttribute("html", "lang"), language);
  await page.click(`nav.switch a`);
  assert.equal(await page.getAttribute("html", "lang"), language);

  await signIn(page);
  await page.waitForSelector(".tile");
  assert.equal(new URL(page.url()).pathname, "/");
  await picture(page, `portal-${language}-1440`);
  await accessible(page, "the portal");
  await page.click(".bar .places a >> nth=1");
  await page.waitForSelector(".rows");
  await picture(page, `sessions-${language}-1440`);
  await accessible(page, "the list of sessions");
  if (await page.locator(".bar .places a").count() > 3) await administer(page, language);
  await page.goto(`${base}/nothing-here`);
  await picture(page, `not-found-${language}-1440`);
  await accessible(page, "the page for a wrong address");

  await page.goto(`${base}/`);
  await page.click(`.bar >> text=${say.signOut}`);
  await page.waitForSelector(`h1:has-text("${say.signedOut}")`);
  await picture(page, `signed-out-${language}-1440`);
  await page.goBack();
  assert.equal(await page.locator(".tile").count(), 0, "Back shows nothing private");
  await page.context().close();
  console.log(`ok: sign-in, portal and sign-out in ${language}`);
}

async function administer(page, language) {
  await page.click(".bar .places a >> nth=3");
  await page.waitForSelector("h1");
  await picture(page, `runs-${language}-1440`);
  await accessible(page, "the list of runs");
  for (const [place, name] of [["tbody tr a", "run"], ["a.button", "plan"]]) {
    if (await page.locator(place).count() === 0) continue;
    await page.click(`${place} >> nth=0`);
    await page.waitForSelector("h1");
    await picture(page, `${name}-${language}-1440`);
    await accessible(page, `the page of a ${name}`);
  }
}

/** The same pages on a telephone, in the dark, without JavaScript. */
async function telephone(browser, language, colorScheme) {
  const page = await open(browser, language, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true,
    colorScheme, javaScriptEnabled: false });
  const narrow = async (name) => {
    await picture(page, `${name}-${language}-390-${colorScheme}`);
    const width = await page.locator("html").evaluate((element) => element.scrollWidth);
    assert.ok(width <= 390, `${name} is ${width} wide`);
  };
  await page.goto(`${base}/login`);
  await narrow("sign-in");
  await signIn(page, "not the password");
  await page.waitForSelector("[role=alert]");
  await narrow("wrong-password");
  await signIn(page);
  await page.waitForSelector(".tile");
  await narrow("portal");
  await page.goto(`${base}/sessions`);
  await narrow("sessions");
  if (await page.locator(".bar .places a").count() > 3) {
    await page.click(".bar .places a >> nth=3");
    await narrow("runs");
    if (await page.locator("tbody tr a").count() > 0) {
      await page.click("tbody tr a >> nth=0");
      await narrow("run");
    }
  }
  await page.context().close();
  console.log(`ok: the same on a telephone, ${colorScheme}, without JavaScript, in ${language}`);
}

/** Runs, the reports and a held plan, wide and narrow: nothing wider than the screen, every table readable. */
async function consolePages(browser, language, width) {
  const page = await open(browser, language, { viewport: { width, height: 900 } });
  const look = async (name) => {
    await page.waitForSelector("h1");
    const height = await page.evaluate(() => Math.min(document.documentElement.scrollHeight, 2400));
    await page.screenshot({ path: join(settings.screenshots, `console-${name}-${language}-${width}.png`), fullPage: true,
      clip: { x: 0, y: 0, width, height } });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name} is ${wide} wide at ${width}`);
    const broken = await page.evaluate(() => [...document.querySelectorAll("th[scope=row]")]
      .filter((cell) => cell.getClientRects().length && cell.offsetHeight > 80).map((cell) => cell.textContent));
    assert.deepEqual(broken, [], "a row header is broken into lines");
    await accessible(page, `${name} at ${width}`);
  };
  await page.goto(`${base}/login?return_to=%2Fconsole%2Fruns`);
  await signIn(page);
  await page.waitForSelector("tbody tr a");
  await look("runs");
  await page.click("tbody tr:last-child a");
  await look("run-applied");
  const roles = await page.locator("th.exact code").allTextContents();
  assert.ok(roles.includes("it-admin"), roles.join());
  const letters = await page.evaluate(() => getComputedStyle(document.querySelector("th.exact"), "::first-letter").textTransform);
  assert.equal(letters, "none", "a role is called as it is called");
  await page.goBack();
  await page.click("tbody tr:first-child a");
  await page.waitForSelector("ul.entries > li", { state: "attached" });
  await look("run-held");
  await page.click("details:has(ul.entries) > summary >> nth=0");
  await look("run-findings");
  if (language === "zh-CN") {
    const said = await page.locator("ul.entries > li, p.inset").allTextContents();
    assert.ok(said.length > 1);
    for (const text of said) assert.match(text, /[\u4e00-\u9fff]/, "a finding is said in the reader's language");
  }
  await page.goto(`${base}/console/runs`);
  await page.click(".notice a.button");
  await page.waitForSelector("button.caution");
  await look("plan-held");
  const reasons = await page.locator(".card:has(button.caution) .notice").boundingBox();
  const button = await page.locator("button.caution").boundingBox();
  assert.ok(reasons.y < button.y, "the reasons stand above the button");
  await page.click(".more a[href*='group=left']");
  await page.waitForSelector("ul.steps > li >> nth=20");
  await look("plan-group");
  await page.goto(`${base}/console/findings`);
  await look("findings");
  if (await page.locator(".work details.inline > summary").count() > 0) {
    await page.click(".work details.inline > summary >> nth=0");
    await look("findings-decide");
  }
  await page.goto(`${base}/console/people?q=zh`);
  await look("people");
  await page.click("ul.rows a >> nth=0");
  await look("person");
  await page.goto(`${base}/console/departments`);
  await page.waitForSelector(".tree");
  await look("departments");
  await page.goto(`${base}/console/roles`);
  await look("roles");
  await page.click("ul.rows a >> nth=0");
  await page.waitForSelector(".cells tbody tr");
  await look("role");
  await page.goto(`${base}/deputies`);
  await page.waitForSelector("#deputy");
  await look("deputies");
  await page.context().close();
  console.log(`ok: runs, reports and a held plan in ${language}, ${width} wide`);
}

/** A device is connected and a request approved, wide and narrow, with and without scripts. */
async function approvals(browser, language, width) {
  const page = await open(browser, language, { viewport: { width, height: 900 }, javaScriptEnabled: width > 400 });
  const look = async (name) => {
    await page.waitForSelector("h1");
    await picture(page, `${name}-${language}-${width}`);
    const wide = await page.locator("html").evaluate((element) => element.scrollWidth);
    assert.ok(wide <= width, `${name} is ${wide} wide at ${width}`);
    if (width > 400) await accessible(page, `${name} at ${width}`);
  };
  const ask = async (path, form) => {
    const { id, secret } = settings.asker;
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
    const answer = await fetch(`${base}${path}`, { method: "POST", body: new URLSearchParams(form), headers: { authorization } });
    return { status: answer.status, body: await answer.json() };
  };
  const grant = "urn:ietf:params:oauth:grant-type:device_code";
  const device = await ask("/oauth2/device_authorization", { scope: "openid profile offline_access room:book" });
  assert.equal(device.status, 200, JSON.stringify(device.body));
  const poll = () => ask("/oauth2/token", { grant_type: grant, device_code: device.body.device_code });
  await page.goto(`${base}/device`);
  await signIn(page);
  await page.waitForSelector("#user_code");
  await look("device-ask");
  await page.fill("#user_code", "bcdfg hjklm");
  await page.press("#user_code", "Enter");
  await page.waitForSelector("[role=alert]");
  await look("device-unknown");
  assert.equal((await poll()).body.error, "authorization_pending");
  await page.fill("#user_code", device.body.user_code.toLowerCase().replace("-", " "));
  await page.press("#user_code", "Enter");
  await page.waitForSelector("button[value=approve]");
  await look("device-confirm");
  await page.click("button[value=approve]");
  await page.waitForURL(/result=approved/);
  await look("device-approved");
  assert.equal((await poll()).status, 200);
  await page.goto(`${base}/requests`);
  await look("requests-none");
  const asked = await ask("/oauth2/bc-authorize", { scope: "openid profile", login_hint: login, binding_message: "工单 4711" });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  await page.goto(`${base}/`);
  await look("portal-waiting");
  await page.click(".notice a");
  await page.waitForSelector("button[value=refuse]");
  await look("requests");
  await page.click("button[value=approve]");
  await page.waitForSelector(".card.empty");
  const ciba = { grant_type: "urn:openid:params:grant-type:ciba", auth_req_id: asked.body.auth_req_id };
  assert.equal((await ask("/oauth2/token", ciba)).status, 200);
  await page.context().close();
  console.log(`ok: a device and a request approved in ${language}, ${width} wide`);
}

/** An application on another origin: keeps what its callback was called with. */
function application({ id, port }) {
  const calls = [];
  const byes = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url, `http://127.0.0.1:${port}`);
    if (url.pathname === "/callback") calls.push(url.searchParams);
    if (url.pathname === "/bye") byes.push(url.searchParams);
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>${id}</title><link rel=icon href="data:,"><h1>${id}</h1>`);
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done({ id, port, calls, byes, server })));
}

/** Begins at the application, as a person would, and gives the code it got. */
async function authorize(page, { id, port, calls }) {
  const [state, nonce, verifier] = [0, 0, 0].map(() => randomBytes(32).toString("base64url"));
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({ client_id: id, response_type: "code", scope: "openid profile", state, nonce,
    redirect_uri: `http://127.0.0.1:${port}/callback`, code_challenge: challenge, code_challenge_method: "S256" });
  const before = calls.length;
  await page.goto(`${base}/oauth2/authorize?${query}`);
  const finish = async () => {
    await page.waitForSelector(`h1:has-text("${id}")`);
    assert.equal(calls.length, before + 1, "the callback is called once");
    const answer = calls.at(-1);
    assert.equal(answer.get("state"), state);
    assert.equal(answer.get("iss"), base);
    return { code: answer.get("code"), verifier };
  };
  return finish;
}

async function redeem({ id, secret, port }, { code, verifier }) {
  const body = new URLSearchParams({ grant_type: "authorization_code", code, code_verifier: verifier,
    redirect_uri: `http://127.0.0.1:${port}/callback` });
  const basic = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64");
  const answer = await fetch(`${base}/oauth2/token`, { method: "POST", body, headers: { authorization: `Basic ${basic}` } });
  const tokens = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url").toString());
  assert.equal(claims.iss, base);
  return claims;
}

/** Signing out of two applications that are told in frames. */
async function framed(browser, language, width) {
  const applications = await Promise.all(settings.applications.map(application));
  const page = await open(browser, language, { viewport: { width, height: 900 } });
  const enter = async () => {
    for (const [at, one] of applications.entries()) {
      const finish = await authorize(page, one);
      if (at === 0) await signIn(page);
      await finish();
    }
  };
  const look = async (name, count) => {
    await page.waitForSelector(`h1:has-text("${words[language].signedOut}")`);
    const wide = await page.locator("html").evaluate((element) => element.scrollWidth);
    assert.ok(wide <= width, `${name} is ${wide} wide at ${width}`);
    assert.equal(await page.locator("iframe").count(), applications.length);
    for (const frame of await page.locator("iframe").all()) {
      const box = await frame.boundingBox();
      assert.ok(!box || box.width <= 1 && box.height <= 1, "a frame can be seen");
    }
    assert.ok((await page.textContent("main")).includes("2"), "it says how many are told");
    await picture(page, `${name}-${language}-${width}`);
    await accessible(page, `${name} at ${width}`);
    for (const { id, byes } of applications) {
      for (let tries = 0; byes.length < count && tries < 100; tries += 1) await page.waitForTimeout(50);
      assert.equal(byes.length, count, `${id} is told once each time`);
      assert.equal(byes.at(-1).get("iss"), base);
      assert.ok(byes.at(-1).get("sid"));
    }
  };
  await enter();
  await page.goto(`${base}/logout`);
  await page.click("form[action='/logout'] button");
  await look("front-channel", 1);
  await page.context().close();
  for (const { server } of applications) server.close();
  console.log(`ok: two applications told in frames in ${language}, ${width} wide`);
}

/** One password for two applications on other origins; Chromium holds form-action against every redirect. */
async function singleSignOn(browser, language) {
  const applications = await Promise.all(settings.applications.map(application));
  const [first, second] = applications;
  const page = await open(browser, language);
  const one = await authorize(page, first);
  assert.equal(new URL(page.url()).pathname, "/login");
  await signIn(page, "not the password");
  await page.waitForSelector("[role=alert]");
  await signIn(page);
  const claims = await redeem(settings.applications[0], await one());
  const two = await authorize(page, second);
  const others = await redeem(settings.applications[1], await two());
  assert.equal(claims.sub, others.sub, "the same person, without a second password");
  await page.goto(`${base}/sessions`);
  assert.match(await page.textContent(".rows"), new RegExp(settings.applications[0].name));
  await picture(page, `sessions-reached-${language}-1440`);
  await page.context().close();
  for (const { server } of applications) server.close();
  console.log(`ok: single sign-on in ${language}`);
}

/** What an application of others asks for, what becomes of it, and what a person meets where it asks wrongly. */
async function provider(browser, language, width) {
  const { consented, agree, withdraw } = { "zh-CN": { consented: "请求您的同意", agree: "同意", withdraw: "收回" },
    en: { consented: "asks for your consent", agree: "I agree", withdraw: "Take back" } }[language];
  const app = await application(settings.applications[0]);
  // The browser's language is the other one: the application says which it wants.
  const page = await open(browser, language === "en" ? "zh-CN" : "en", { viewport: { width, height: 900 },
    javaScriptEnabled: true });
  const look = async (name) => {
    await page.waitForSelector("h1");
    await picture(page, `${name}-${language}-${width}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name} is ${wide} wide at ${width}`);
    await accessible(page, `${name} at ${width}`);
  };
  const query = (changes = {}) => new URLSearchParams({ client_id: "travel", response_type: "code", nonce: "n",
    scope: "openid profile phone org offline_access trip:book", state: "s", ui_locales: language, login_hint: login,
    redirect_uri: `http://127.0.0.1:${app.port}/callback`, code_challenge_method: "S256",
    code_challenge: createHash("sha256").update("v".repeat(43)).digest("base64url"), ...changes });
  const ask = (changes) => page.goto(`${base}/oauth2/authorize?${query(changes)}`);
  const answered = async (name) => {
    await page.waitForSelector(`h1:has-text("${app.id}")`);
    return app.calls.at(-1).get(name);
  };
  await ask();
  assert.equal(await page.getAttribute("html", "lang"), language, "ui_locales");
  assert.equal(await page.inputValue("#login"), login, "login_hint");
  await page.fill("#password", password);
  await page.press("#password", "Enter");
  await page.waitForSelector(`h1:has-text("${consented}")`);
  await look("consent");
  await page.click("button[value=no]");
  assert.equal(await answered("error"), "access_denied");
  await ask();
  await page.click(`button[value=yes]:has-text("${agree}")`);
  assert.ok(await answered("code"));
  await ask();
  assert.ok(await answered("code"), "remembered");
  await ask({ scope: "openid email" });
  await look("consent-more");
  await page.goto(`${base}/consents`);
  await page.context().addCookies([{ name: "yaopai_lang", value: language, url: base }]);
  await page.goto(`${base}/consents`);
  await look("consents");
  await page.click(`button:has-text("${withdraw}")`);
  await page.waitForSelector(".empty");
  await look("consents-none");
  await ask({ redirect_uri: `http://127.0.0.1:${app.port}/callback/` });
  await page.click("details.integrator summary");
  await look("near-miss");
  await ask({ client_id: "nobody" });
  await look("unknown-application");
  await page.goto(settings.test_logins.pop());
  await look("test-login");
  await page.click("main button[type=submit]");
  await page.waitForSelector("pre.document");
  await look("test-login-shown");
  await page.context().close();
  app.server.close();
  console.log(`ok: consent, refusals and test login in ${language}, ${width} wide`);
}

/** The pictures of the README. */
async function portraits(browser) {
  for (const language of ["en", "zh-CN"]) {
    const page = await open(browser, language, { viewport: { width: 1200, height: 720 } });
    mkdirSync(settings.pictures, { recursive: true });
    const save = (name) => page.screenshot({ path: join(settings.pictures, `${name}-${language}.png`) });
    await page.goto(`${base}/login`);
    await save("sign-in");
    await signIn(page);
    await page.waitForSelector(".tile");
    await save("portal");
    await page.context().close();
  }
}

const profile = mkdtempSync(join(tmpdir(), "yaopai-chromium-"));
const browser = await chromium.launch({ executablePath: settings.chromium, args: flags, env: { ...process.env, HOME: profile } });
try {
  for (const language of ["zh-CN", "en"]) {
    if (settings.frames) {
      for (const width of [1440, 390]) await framed(browser, language, width);
      continue;
    }
    if (settings.asker) {
      for (const width of [1440, 390]) await approvals(browser, language, width);
      continue;
    }
    if (settings.console) {
      for (const width of [1440, 390]) await consolePages(browser, language, width);
      continue;
    }
    if (settings.test_logins) {
      for (const width of [1440, 390]) await provider(browser, language, width);
      continue;
    }
    await visit(browser, language);
    await singleSignOn(browser, language);
    for (const colorScheme of ["light", "dark"]) await telephone(browser, language, colorScheme);
  }
  if (!settings.console && !settings.asker && !settings.test_logins && !settings.frames) await portraits(browser);
  for (const url of leftBehind) if (!arrived.has(url)) violations.push(`${url}: never arrived`);
  assert.deepEqual(violations, [], "the browser complained");
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
