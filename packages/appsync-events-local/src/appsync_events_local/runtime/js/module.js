// Imports and exports of a module, and its rewriting to a function that takes the imported modules.
globalThis.__module = (() => {
  "use strict";
  const rules = __rules;
  const { children, isFunction } = __scopes;
  const { modules } = __appsync;

  const checkImports = (program, report) => {
    program.body.filter((node) => node.type === "ImportDeclaration").forEach((node) => {
      const name = node.source.value;
      if (!Object.hasOwn(modules, name)) {
        const known = Object.keys(modules).join(", ");
        return report(node.source, `'${name}' cannot be imported; bundle it, or import one of ${known}`);
      }
      return node.specifiers.forEach((specifier) => {
        if (specifier.type === "ImportDefaultSpecifier") return report(specifier, `'${name}' has no default export`);
        const imported = specifier.imported?.name ?? specifier.imported?.value;
        if (specifier.type === "ImportSpecifier" && !Object.hasOwn(modules[name], imported)) {
          return report(specifier, `'${name}' has no export '${imported}'`);
        }
        const reason = specifier.type === "ImportSpecifier" ? modules[name][imported].notImitated : undefined;
        return reason === undefined ? undefined : report(specifier, reason);
      });
    });
  };

  const resolve = (node, top, depth) => {
    if (node?.type !== "Identifier" || depth > 8) return node;
    return resolve(top.find(node.name)?.init ?? null, top, depth + 1);
  };

  const shapeOf = (name, node, place, top, report) => {
    const value = resolve(node, top, 0);
    if (isFunction(value)) return "function";
    if (value?.type !== "ObjectExpression") {
      report(place, `${name} must be a function or an object {request, response}`);
      return null;
    }
    const named = (property) => (property.computed ? null : property.key?.name ?? property.key?.value);
    value.properties.filter((property) => !["request", "response"].includes(named(property))).forEach((property) =>
      report(property, `${name} has only request and response`));
    ["request", "response"].forEach((part) => {
      const property = value.properties.find((candidate) => named(candidate) === part);
      if (property === undefined) report(place, `${name} has no ${part} function`);
      else if (!isFunction(resolve(property.value, top, 0))) report(property, `${name}.${part} must be a function`);
    });
    return "pair";
  };

  const exportsOf = (program, top, report) => {
    const found = {};
    const add = (name, local, node, place) => {
      if (!rules.HANDLERS.includes(name)) {
        report(place, `unknown export '${name}'; a handler module exports onPublish and onSubscribe`);
        return;
      }
      found[name] = { local, shape: shapeOf(name, node, place, top, report) };
    };
    program.body.filter((node) => node.type === "ExportNamedDeclaration").forEach((node) => {
      if (node.source !== null) return report(node, rules.is("re-exporting another module"));
      const declaration = node.declaration;
      if (declaration?.type === "FunctionDeclaration") add(declaration.id.name, declaration.id.name, declaration, declaration.id);
      if (declaration?.type === "VariableDeclaration") {
        declaration.declarations.forEach((declarator) =>
          __scopes.patternNames(declarator.id).forEach((id) =>
            add(id.name, id.name, declarator.id.type === "Identifier" ? declarator.init : null, id)));
      }
      return node.specifiers.forEach((specifier) => {
        const name = specifier.exported.name ?? specifier.exported.value;
        add(name, specifier.local.name, specifier.local, specifier);
      });
    });
    if (Object.keys(found).length === 0 && !program.body.some((node) => node.type === "ExportDefaultDeclaration")) {
      report(null, "the code exports neither onPublish nor onSubscribe");
    }
    return found;
  };

  // Replaces import and export syntax by blanks, so that line numbers stay; wraps every for...of in a counter and passes
  // each use of console its position.
  const rewrite = (code, program, exported) => {
    const edits = [];
    const blank = (start, end) => edits.push({ start, end, text: code.slice(start, end).replace(/[^\n\r]/g, " ") });
    const insert = (at, text) => edits.push({ start: at, end: at, text });
    const header = [];
    program.body.forEach((node) => {
      if (node.type === "ImportDeclaration") {
        blank(node.start, node.end);
        const source = `__modules[${JSON.stringify(node.source.value)}]`;
        node.specifiers.forEach((specifier) => {
          const imported = specifier.imported?.name ?? specifier.imported?.value;
          header.push(`const ${specifier.local.name} = ${source}${imported === undefined ? "" : `.${imported}`};`);
        });
      } else if (node.type === "ExportNamedDeclaration") {
        if (node.declaration === null) blank(node.start, node.end);
        else blank(node.start, node.declaration.start);
      }
    });
    const wrap = (node) => {
      if (node.type === "ForOfStatement") {
        insert(node.right.start, "__each(");
        insert(node.right.end, ")");
      }
      const object = node.type === "CallExpression" && node.callee.type === "MemberExpression" ? node.callee.object : null;
      if (object?.type === "Identifier" && object.name === "console") {
        insert(object.start, "__at(");
        insert(object.end, `, ${object.loc.start.line}, ${object.loc.start.column + 1})`);
      }
      children(node).forEach(wrap);
    };
    wrap(program);
    const body = edits.sort((one, other) => one.start - other.start).reduce(
      ({ text, at }, edit) => ({ text: text + code.slice(at, edit.start) + edit.text, at: edit.end }),
      { text: "", at: 0 },
    );
    const results = Object.entries(exported).map(([name, { local }]) => `${name}: ${local}`).join(", ");
    const globals = `const { ${Object.keys(rules.OBJECTS).join(", ")} } = __builtins;`
      + ` const { util, extensions, runtime } = __modules["@aws-appsync/utils"];`;
    return `(function (__modules, __builtins, __each, __at) { "use strict"; ${globals} return (() => { ${header.join(" ")} `
      + `${body.text}${code.slice(body.at)}\nreturn { ${results} }; })(); })`;
  };

  return { checkImports, exportsOf, rewrite };
})();
