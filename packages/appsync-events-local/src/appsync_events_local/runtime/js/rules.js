// The rules of APPSYNC_JS. Sources: "AppSync Events: Supported runtime features" and "Runtime utilities";
// github.com/aws/aws-appsync-community/issues/353 (logical assignment) and /403 (the right side of ??).
globalThis.__rules = (() => {
  "use strict";
  const is = (what, instead) => `${what} is not supported by APPSYNC_JS${instead ? `; ${instead}` : ""}`;
  const are = (what, instead) => `${what} are not supported by APPSYNC_JS${instead ? `; ${instead}` : ""}`;

  const STATEMENTS = {
    ThrowStatement: is("'throw'", "use util.error"),
    TryStatement: is("'try'"),
    WhileStatement: is("'while'", "use for...of or an array method"),
    DoWhileStatement: is("'do...while'", "use for...of or an array method"),
    ForStatement: is("'for (;;)'", "use for...of, for...in or an array method"),
    ContinueStatement: is("'continue'"),
    LabeledStatement: are("labels"),
    DebuggerStatement: is("'debugger'"),
    ClassDeclaration: are("classes"),
    ClassExpression: are("classes"),
    ThisExpression: is("'this'"),
    AwaitExpression: is("'await'"),
    YieldExpression: is("'yield'"),
    NewExpression: is("'new'"),
    TaggedTemplateExpression: are("tagged templates"),
    ImportExpression: is("import()"),
    MetaProperty: are("meta properties"),
    UpdateExpression: are("'++' and '--'", "use += 1 or -= 1"),
    ExportDefaultDeclaration: is("a default export", "export onPublish and onSubscribe by name"),
    ExportAllDeclaration: is("'export *'"),
  };
  const BINARY = { in: is("'in'", "use Object.hasOwn"), instanceof: is("'instanceof'") };
  const ASSIGNMENT = {
    "??=": is("'??='", "use a conditional expression"),
    "||=": is("'||='", "use a conditional expression"),
    "&&=": is("'&&='", "use a conditional expression"),
  };
  const COALESCING_CALL = "APPSYNC_JS evaluates the right side of '??' whatever the left side is, so this is always "
    + "called; use a conditional expression";
  // Built-ins whose call changes something or ends the handler; calls of the others have no effect.
  const EFFECTS = ["util.error", "util.unauthorized", "util.appendError", "runtime.earlyReturn"];
  const UNARY = { "~": is("'~'") };

  const GLOBALS = ["NaN", "Infinity", "undefined", "util", "extensions", "runtime"];
  // Built-in objects and the only members of them that exist.
  const OBJECTS = {
    JSON: ["parse", "stringify"],
    Object: ["assign", "entries", "hasOwn", "keys", "values"],
    Math: ["random", "min", "max", "round", "floor", "ceil"],
    Number: ["isFinite", "isNaN"],
    console: ["log", "error", "debug"],
  };
  const INSTEAD = {
    Date: "use util.time",
    Promise: "there is nothing asynchronous in a handler",
    RegExp: "use util.matches",
    String: "use a template literal",
    Array: "use an array literal",
    arguments: "use rest parameters",
    process: "there is no environment",
    Function: "write the function out",
    eval: "write the code out",
  };

  const CALLBACK_METHODS = ["map", "filter", "find", "findIndex", "findLast", "findLastIndex", "forEach", "reduce",
    "reduceRight", "every", "some", "flatMap"];
  const METHODS = new Set([
    "charAt", "concat", "endsWith", "includes", "indexOf", "lastIndexOf", "replace", "replaceAll", "slice", "split",
    "startsWith", "toLowerCase", "toUpperCase", "trim", "trimEnd", "trimStart", "fill", "flat", "join", "pop", "push",
    "reverse", "shift", "sort", "splice", "unshift", ...CALLBACK_METHODS,
  ]);
  // Every other method of JavaScript's own values is refused, because it does not exist in APPSYNC_JS.
  const OWN = [String, Array, Object, Number, Boolean, Function, RegExp, Symbol, Date, Promise];
  const REFUSED_METHODS = new Set(
    [...OWN.flatMap((type) => Object.getOwnPropertyNames(type.prototype)), "raw", "groupToMap", "group"]
      .filter((name) => !METHODS.has(name)),
  );

  const MAX_CHARACTERS = 32768;
  const HANDLERS = ["onPublish", "onSubscribe"];

  return {
    STATEMENTS, BINARY, UNARY, ASSIGNMENT, COALESCING_CALL, EFFECTS, GLOBALS, OBJECTS, INSTEAD, CALLBACK_METHODS, METHODS, REFUSED_METHODS, MAX_CHARACTERS,
    HANDLERS, is, are,
  };
})();
