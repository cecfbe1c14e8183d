// Reads a module with acorn and finds everything that APPSYNC_JS refuses.
(() => {
  "use strict";
  const rules = __rules;
  const { Scope, children, isFunction, declareBlock, hoistVars, declareVariables, functionScope } = __scopes;
  const { modules } = __appsync;
  const { checkImports, exportsOf, rewrite } = __module;
  const UTILS = modules["@aws-appsync/utils"];

  const inspect = (program, report) => {
    const calls = [];
    const top = new Scope(null, null);
    program.body.forEach((statement) => hoistVars(top, statement));
    declareBlock(top, program.body);

    // Resolves a chain such as util.time.nowISO8601: {value, path}, or {missing, path} if one of its names does not exist,
    // or null if it does not start at a built-in.
    const builtin = (node, scope) => {
      if (node.type === "Identifier") {
        const binding = scope.find(node.name);
        if (binding === null) return Object.hasOwn(UTILS, node.name) ? { value: UTILS[node.name], path: node.name } : null;
        if (binding.kind !== "import" || !Object.hasOwn(modules, binding.module)) return null;
        const module = modules[binding.module];
        if (binding.imported === null) return { value: module, path: node.name };
        return Object.hasOwn(module, binding.imported) ? { value: module[binding.imported], path: node.name } : null;
      }
      if (node.type === "ChainExpression") return builtin(node.expression, scope);
      if (node.type !== "MemberExpression" || node.computed) return null;
      const parent = builtin(node.object, scope);
      if (parent === null || parent.missing) return parent;
      const path = `${parent.path}.${node.property.name}`;
      if (parent.value === null || !Object.hasOwn(parent.value, node.property.name)) return { missing: true, path };
      return { value: parent.value[node.property.name], path };
    };

    const functionOf = (node, scope) => {
      if (isFunction(node)) return node;
      return node?.type === "Identifier" ? scope.find(node.name)?.fn ?? null : null;
    };
    const owners = (scope) => {
      const found = [];
      for (let at = scope; at !== null; at = at.parent) if (at.owner !== null) found.push(at.owner);
      return found;
    };
    const called = (fn, node, scope) => owners(scope).forEach((from) => calls.push({ from, to: fn, node }));

    const checkCall = (node, scope) => {
      const { callee } = node;
      const member = callee.type === "MemberExpression" && !callee.computed ? callee.property.name : null;
      const known = builtin(callee, scope);
      const target = functionOf(callee, scope);
      if (target !== null) called(target, node, scope);
      const onBuiltinObject = callee.type === "MemberExpression" && callee.object.type === "Identifier"
        && scope.find(callee.object.name) === null && Object.hasOwn(rules.OBJECTS, callee.object.name);
      const ownFunction = callee.type === "MemberExpression" && callee.object.type === "Identifier"
        && scope.find(callee.object.name)?.init?.type === "ObjectExpression"
        && scope.find(callee.object.name).init.properties.some((p) => p.key?.name === member && isFunction(p.value));
      if (member !== null && known === null && !onBuiltinObject && !ownFunction && rules.REFUSED_METHODS.has(member)) {
        report(callee.property, rules.is(`the method ${member}()`));
      }
      if (member === "sort" && node.arguments.length > 0) {
        report(node.arguments[0], "sort() takes no arguments in APPSYNC_JS: it sorts by text, ascending");
      }
      const takesCallback = member !== null && rules.CALLBACK_METHODS.includes(member);
      node.arguments.forEach((argument) => {
        const passed = functionOf(argument, scope);
        if (passed === null) return;
        if (takesCallback) called(passed, argument, scope);
        else if (member !== "sort") {
          report(argument, `a function may only be passed to an array method (${rules.CALLBACK_METHODS.join(", ")})`);
        }
      });
    };

    // Reports the calls below the right side of ??, except those of built-ins without an effect.
    const checkCoalesced = (node, scope) => {
      if (isFunction(node)) return;
      if (node.type === "CallExpression") {
        const { callee } = node;
        const known = builtin(callee, scope);
        const pure = known !== null ? !rules.EFFECTS.includes(known.path)
          : callee.type === "MemberExpression" && callee.object.type === "Identifier" && callee.object.name !== "console"
            && scope.find(callee.object.name) === null && Object.hasOwn(rules.OBJECTS, callee.object.name);
        if (!pure) report(node, rules.COALESCING_CALL);
      }
      children(node).forEach((child) => checkCoalesced(child, scope));
    };

    const checkIdentifier = (node, scope, parent) => {
      if (scope.find(node.name) !== null || rules.GLOBALS.includes(node.name)) return;
      if (Object.hasOwn(rules.OBJECTS, node.name)) {
        const used = parent.type === "MemberExpression" && parent.object === node && !parent.computed;
        const allowed = rules.OBJECTS[node.name];
        if (!used) {
          report(node, `${node.name} can only be used as ${allowed.map((name) => `${node.name}.${name}`).join(", ")}`);
        } else if (!allowed.includes(parent.property.name)) {
          const list = allowed.join(", ");
          report(parent.property, `${rules.is(`${node.name}.${parent.property.name}`)}; ${node.name} has ${list}`);
        }
        return;
      }
      const instead = rules.INSTEAD[node.name];
      report(node, Object.hasOwn(globalThis, node.name) || instead !== undefined
        ? rules.is(node.name, instead) : `${node.name} is not defined`);
    };

    const checkFunction = (node) => {
      if (node.async) report(node, rules.are("async functions"));
      if (node.generator) report(node, rules.are("generators"));
    };

    const VISIT = {
      Literal: (node) => {
        if (node.regex !== undefined) report(node, rules.are("regular expression literals", "use util.matches"));
        if (node.bigint !== undefined) report(node, rules.are("BigInt literals"));
      },
      UnaryExpression: (node) => rules.UNARY[node.operator] && report(node, rules.UNARY[node.operator]),
      LogicalExpression: (node, scope) => node.operator === "??" && checkCoalesced(node.right, scope),
      BinaryExpression: (node) => rules.BINARY[node.operator] && report(node, rules.BINARY[node.operator]),
      Property: (node) => {
        if (node.kind !== "init") report(node, rules.are("getters and setters"));
      },
      ForOfStatement: (node) => node.await && report(node, rules.is("'for await'")),
      CallExpression: checkCall,
      MemberExpression: (node, scope) => {
        const known = builtin(node, scope);
        const parent = node.computed ? null : builtin(node.object, scope);
        if (known?.missing && !parent?.missing) report(node, `${known.path} does not exist`);
        if (typeof known?.value?.notImitated === "string") report(node, known.value.notImitated);
      },
      ReturnStatement: (node, scope) => {
        if (functionOf(node.argument, scope) !== null) report(node, rules.is("returning a function"));
      },
      ArrowFunctionExpression: (node, scope) => {
        if (functionOf(node.body, scope) !== null) report(node.body, rules.is("returning a function"));
      },
      AssignmentExpression: (node, scope) => {
        if (rules.ASSIGNMENT[node.operator]) report(node, rules.ASSIGNMENT[node.operator]);
        if (functionOf(node.right, scope) !== null || functionOf(node.left, scope) !== null) {
          report(node, rules.is("re-assigning a function"));
        }
      },
      VariableDeclarator: (node, scope) => {
        if (node.init?.type === "Identifier" && functionOf(node.init, scope) !== null) {
          report(node.init, rules.is("re-assigning a function"));
        }
      },
    };

    const walk = (node, scope, parent) => {
      if (Object.hasOwn(rules.STATEMENTS, node.type)) report(node, rules.STATEMENTS[node.type]);
      VISIT[node.type]?.(node, scope);
      if (isFunction(node)) {
        checkFunction(node);
        const inner = functionScope(scope, node);
        node.params.forEach((param) => walk(param, inner, node));
        if (node.body.type === "BlockStatement") node.body.body.forEach((child) => walk(child, inner, node.body));
        else walk(node.body, inner, node);
        return;
      }
      switch (node.type) {
        case "Identifier": return checkIdentifier(node, scope, parent);
        case "ImportDeclaration": return undefined;
        case "MemberExpression":
          walk(node.object, scope, node);
          return node.computed ? walk(node.property, scope, node) : undefined;
        case "Property": case "PropertyDefinition": case "MethodDefinition":
          if (node.computed) walk(node.key, scope, node);
          return node.value === null ? undefined : walk(node.value, scope, node);
        case "ExportSpecifier": return walk(node.local, scope, node);
        case "LabeledStatement": return walk(node.body, scope, node);
        case "BreakStatement": case "ContinueStatement": case "MetaProperty": return undefined;
        case "BlockStatement": case "StaticBlock": {
          const inner = new Scope(scope, null);
          declareBlock(inner, node.body);
          return node.body.forEach((child) => walk(child, inner, node));
        }
        case "SwitchStatement": {
          walk(node.discriminant, scope, node);
          const inner = new Scope(scope, null);
          node.cases.forEach((branch) => declareBlock(inner, branch.consequent));
          return node.cases.forEach((branch) => walk(branch, inner, node));
        }
        case "ForStatement": case "ForOfStatement": case "ForInStatement": {
          const inner = new Scope(scope, null);
          const head = node.type === "ForStatement" ? node.init : node.left;
          if (head?.type === "VariableDeclaration") declareVariables(inner, head);
          return children(node).forEach((child) => walk(child, inner, node));
        }
        case "CatchClause": {
          const inner = new Scope(scope, null);
          if (node.param !== null) {
            __scopes.patternNames(node.param).forEach((id) => inner.declare(id.name, { kind: "value", fn: null }));
          }
          return walk(node.body, inner, node);
        }
        case "ClassDeclaration": case "ClassExpression":
          if (node.superClass !== null) walk(node.superClass, scope, node);
          return walk(node.body, scope, node);
        default: return children(node).forEach((child) => walk(child, scope, node));
      }
    };
    program.body.forEach((statement) => walk(statement, top, program));
    refuseRecursion(calls, report);
    return top;
  };

  const refuseRecursion = (calls, report) => {
    const targets = new Map();
    calls.forEach(({ from, to }) => targets.set(from, (targets.get(from) ?? new Set()).add(to)));
    const reaches = (from, goal) => {
      const seen = new Set();
      const open = [from];
      while (open.length > 0) {
        for (const to of targets.get(open.pop()) ?? []) {
          if (to === goal) return true;
          if (!seen.has(to)) open.push(to);
          seen.add(to);
        }
      }
      return false;
    };
    calls.forEach(({ from, to, node }) => {
      if (to === from || reaches(to, from)) report(node, rules.is("recursion"));
    });
  };

  globalThis.__check = (code) => {
    const problems = [];
    const report = (node, message) =>
      problems.push(node === null ? { message, line: null, column: null }
        : { message, line: node.loc.start.line, column: node.loc.start.column + 1 });
    if (code.length > rules.MAX_CHARACTERS) {
      report(null, `the code has ${code.length} characters; at most ${rules.MAX_CHARACTERS} are allowed`);
    }
    let program;
    try {
      program = acorn.parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true });
    } catch (error) {
      if (error.loc === undefined) throw error;
      const message = error.message.replace(/ \(\d+:\d+\)$/, "");
      problems.push({ message, line: error.loc.line, column: error.loc.column + 1 });
      return JSON.stringify({ problems });
    }
    checkImports(program, report);
    const top = inspect(program, report);
    const exported = exportsOf(program, top, report);
    if (problems.length > 0) return JSON.stringify({ problems: inOrder(problems) });
    const shapes = Object.fromEntries(Object.entries(exported).map(([name, { shape }]) => [name, shape]));
    return JSON.stringify({ problems: [], script: rewrite(code, program, exported), exports: shapes });
  };

  const inOrder = (problems) => {
    const seen = new Set();
    return problems
      .filter((problem) => {
        const key = JSON.stringify(problem);
        return seen.has(key) ? false : seen.add(key);
      })
      .sort((one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0));
  };
})();
