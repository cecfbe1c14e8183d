// Resolves names: one scope per function and block, filled before the code in it is checked.
(() => {
  "use strict";
  const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
  const isFunction = (node) => node !== null && node !== undefined && FUNCTIONS.includes(node.type);

  class Scope {
    constructor(parent, owner) {
      this.parent = parent;
      this.owner = owner;
      this.names = new Map();
    }
    declare(name, binding) {
      this.names.set(name, binding);
    }
    find(name) {
      for (let scope = this; scope !== null; scope = scope.parent) {
        if (scope.names.has(name)) return scope.names.get(name);
      }
      return null;
    }
  }

  const children = (node) =>
    Object.entries(node).filter(([key]) => key !== "loc").flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
      .filter((value) => value !== null && typeof value === "object" && typeof value.type === "string");

  const patternNames = (pattern) => {
    switch (pattern?.type) {
      case "Identifier": return [pattern];
      case "ObjectPattern":
        return pattern.properties.flatMap((p) => patternNames(p.type === "RestElement" ? p.argument : p.value));
      case "ArrayPattern": return pattern.elements.flatMap(patternNames);
      case "AssignmentPattern": return patternNames(pattern.left);
      case "RestElement": return patternNames(pattern.argument);
      default: return [];
    }
  };

  const declareVariables = (scope, declaration) =>
    declaration.declarations.forEach((declarator) => {
      const alone = declarator.id.type === "Identifier";
      const fn = alone && declaration.kind === "const" && isFunction(declarator.init) ? declarator.init : null;
      patternNames(declarator.id).forEach((id) =>
        scope.declare(id.name, { kind: "value", fn, init: alone ? declarator.init : null }));
    });

  // var declarations belong to the nearest function, in whichever of its blocks they occur.
  const hoistVars = (scope, node) => {
    if (isFunction(node)) return;
    if (node.type === "VariableDeclaration" && node.kind === "var") declareVariables(scope, node);
    children(node).forEach((child) => hoistVars(scope, child));
  };

  const declareBlock = (scope, statements) =>
    statements.forEach((statement) => {
      const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
      if (node?.type === "FunctionDeclaration") scope.declare(node.id.name, { kind: "value", fn: node, init: node });
      if (node?.type === "ClassDeclaration") scope.declare(node.id.name, { kind: "value", fn: null, init: null });
      if (node?.type === "VariableDeclaration" && node.kind !== "var") declareVariables(scope, node);
      if (node?.type === "ImportDeclaration") {
        node.specifiers.forEach((specifier) =>
          scope.declare(specifier.local.name, {
            kind: "import",
            module: node.source.value,
            imported: specifier.type === "ImportSpecifier" ? specifier.imported.name ?? specifier.imported.value : null,
            fn: null,
            init: null,
          }));
      }
    });

  const functionScope = (parent, fn) => {
    const scope = new Scope(parent, fn);
    if (fn.type === "FunctionExpression" && fn.id !== null) {
      scope.declare(fn.id.name, { kind: "value", fn, init: fn });
    }
    fn.params.flatMap(patternNames).forEach((id) => scope.declare(id.name, { kind: "param", fn: null, init: null }));
    if (fn.body.type === "BlockStatement") {
      fn.body.body.forEach((statement) => hoistVars(scope, statement));
      declareBlock(scope, fn.body.body);
    }
    return scope;
  };

  globalThis.__scopes = { Scope, children, isFunction, patternNames, declareVariables, hoistVars, declareBlock, functionScope };
})();
