// ESLint rules for errors that @aws-appsync/eslint-plugin does not report.
'use strict';

const { problems, MAX_CHARACTERS } = require('./runtime.js');

// Reports everything that the checker of the local Events service refuses when code is deployed: throw, unknown
// imports and globals, missing exports, methods that do not exist, and so on.
const dialect = {
  meta: { type: 'problem', docs: { description: 'disallow syntax and built-ins that APPSYNC_JS does not have' }, schema: [] },
  create(context) {
    return {
      Program(node) {
        for (const { message, line, column } of problems(context.sourceCode.text)) {
          context.report(line === null ? { node, message } : { loc: { line, column: column - 1 }, message });
        }
      },
    };
  },
};

const PLACEHOLDER = /__[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*__/g;
const TABLE_NAME_CHARACTERS = 255;

// Counts each placeholder as the longest table name that DynamoDB allows.
const codeSize = {
  meta: { type: 'problem', docs: { description: 'limit the size of the deployed code to what AppSync allows' }, schema: [] },
  create(context) {
    return {
      Program(node) {
        const size = context.sourceCode.text.replace(PLACEHOLDER, 'T'.repeat(TABLE_NAME_CHARACTERS)).length;
        if (size > MAX_CHARACTERS) {
          const message = `the deployed code may have ${size} characters; AppSync allows ${MAX_CHARACTERS}`;
          context.report({ node, message });
        }
      },
    };
  },
};

module.exports = { rules: { dialect, 'code-size': codeSize } };
