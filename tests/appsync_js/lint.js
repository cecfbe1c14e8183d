// Lints the texts on stdin, {name: text}, each as the content of appsync_js/chats.js; prints {name: [[rule, line, message]]}.
'use strict';

const path = require('node:path');
const { ESLint } = require(path.resolve('node_modules', 'eslint'));

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const eslint = new ESLint({ cwd: process.cwd() });
  const found = {};
  for (const [name, text] of Object.entries(JSON.parse(Buffer.concat(chunks).toString()))) {
    const [result] = await eslint.lintText(text, { filePath: path.resolve('appsync_js', 'chats.js') });
    found[name] = result.messages.map((message) => [message.ruleId, message.line, message.message]);
  }
  process.stdout.write(JSON.stringify(found));
}

main();
