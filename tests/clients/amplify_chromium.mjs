// Runs `converse` in a page for each of several arguments: `node amplify_chromium.mjs BROWSER URL '<JSON list>'`.
// Prints one JSON line for each: the result, or {failure}.
import { chromium } from 'playwright-core';

const [browser, url, list] = process.argv.slice(2);
const chrome = await chromium.launch({
  executablePath: browser,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
for (const given of JSON.parse(list)) {
  const page = await chrome.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url);
  const result = await Promise.race([
    page.evaluate((argument) => window.converse(argument), given).catch((error) => ({ failure: String(error) })),
    new Promise((resolve) => { setTimeout(resolve, 30_000, { failure: `not finished after 30 s ${errors.join(' ')}` }); }),
  ]);
  console.log(JSON.stringify({ ...result, errors }));
  await page.close();
}
await chrome.close();
process.exit(0); // timers of the conversations are still active
