// Loads the checker of the local Events service from its source files, so that the accepted syntax is defined once.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const FOLDER = path.join(__dirname, '..', '..', 'packages', 'appsync-events-local', 'src', 'appsync_events_local', 'runtime', 'js');
const FILES = ['base', 'regex', 'time', 'dynamodb', 'transform', 'util', 'scopes', 'rules', 'module', 'checker'];

const context = vm.createContext({ acorn: require('acorn') });
for (const name of FILES) {
  vm.runInContext(fs.readFileSync(path.join(FOLDER, `${name}.js`), 'utf8'), context, { filename: `${name}.js` });
}

/** Returns the problems of one module: `{message, line, column}`; line and column count from 1 and may be null. */
function problems(code) {
  context.code = code;
  return JSON.parse(vm.runInContext('__check(code)', context)).problems;
}

const MAX_CHARACTERS = vm.runInContext('__rules.MAX_CHARACTERS', context);

module.exports = { problems, MAX_CHARACTERS };
