// ESLint rules for what @aws-appsync/eslint-plugin does not look for.
'use strict';

const { problems, MAX_CHARACTERS } = require('./runtime.js');

// Everything that the local Events service refuses when the code is deployed: throw, unknown imports, unknown globals,
// missing exports, methods that do not exist, and whatever else its checker knows.
const dialect = {
  meta: { type: 'problem', docs: { description: 'refuse what APPSYNC_JS does not have' }, schema: [] },
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

// The size counts with the longest table name that DynamoDB allows in place of each placeholder.
const codeSize = {
  meta: { type: 'problem', docs: { description: 'keep the deployed code within what AppSync takes' }, schema: [] },
  create(context) {
    return {
      Program(node) {
        const size = context.sourceCode.text.replace(PLACEHOLDER, 'T'.repeat(TABLE_NAME_CHARACTERS)).length;
        if (size > MAX_CHARACTERS) {
          const message = `the code may have ${size} characters when it is deployed; AppSync takes ${MAX_CHARACTERS}`;
          context.report({ node, message });
        }
      },
    };
  },
};

module.exports = { rules: { dialect, 'code-size': codeSize } };
