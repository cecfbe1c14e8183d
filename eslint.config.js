// Lints the APPSYNC_JS handlers: AWS's plugin for the dialect, and our rules for what it misses.
'use strict';

const appsync = require('@aws-appsync/eslint-plugin');
const handlers = require('./appsync_js/eslint/plugin.js');

module.exports = [
  { ignores: ['appsync_js/eslint/**'] },
  {
    ...appsync.configs.recommended,
    files: ['appsync_js/*.js'],
    languageOptions: {
      ...appsync.configs.recommended.languageOptions,
      sourceType: 'module',
      parserOptions: { projectService: true, tsconfigRootDir: __dirname },
    },
  },
  {
    files: ['appsync_js/*.js'],
    plugins: { handlers },
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: { 'handlers/dialect': 'error', 'handlers/code-size': 'error' },
  },
];
