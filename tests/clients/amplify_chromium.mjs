// Opens the page for each of several talks: `node amplify_chromium.mjs BROWSER URL '<JSON list of what talk is given>'`.
// Prints one JSON line per talk: what it returned, or {failure}.
import { chromium } from 'playwright-core';

const [browser, url, talks] = process.argv.slice(2);
const chrome = await chromium.launch({
  executablePath: browser,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
for (const given of JSON.parse(talks)) {
  const page = await chrome.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url);
  const result = await Promise.race([
    page.evaluate((what) => window.talk(what), given).catch((error) => ({ failure: String(error) })),
    new Promise((resolve) => { setTimeout(resolve, 30_000, { failure: `no end in 30 s ${errors.join(' ')}` }); }),
  ]);
  console.log(JSON.stringify({ ...result, errors }));
  await page.close();
}
await chrome.close();
process.exit(0); // the clocks of the talks still run
