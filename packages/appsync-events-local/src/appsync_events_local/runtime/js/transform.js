// util.transform for DynamoDB: a filter object becomes an expression with names and values, as a JSON string.
(() => {
  "use strict";
  const { fail, attributeValue, notImitated } = __appsync;
  const COMPARE = { eq: "=", ne: "<>", le: "<=", lt: "<", ge: ">=", gt: ">" };
  const OPERATORS = [...Object.keys(COMPARE), "contains", "notContains", "beginsWith", "between", "in",
    "attributeExists", "attributeType", "size"];
  const TYPES = { _null: "NULL", string: "S", stringSet: "SS", number: "N", numberSet: "NS", binary: "B",
    binarySet: "BS", boolean: "BOOL", list: "L", map: "M" };
  const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  const translator = () => {
    const names = {};
    const values = {};
    const slot = (table, prefix, wanted, content) => {
      const base = prefix + wanted.replace(/[^A-Za-z0-9_]/g, "_");
      let placeholder = base;
      for (let n = 2; Object.hasOwn(table, placeholder); n++) {
        if (prefix === "#" && table[placeholder] === content) return placeholder;
        placeholder = `${base}_${n}`;
      }
      table[placeholder] = content;
      return placeholder;
    };
    const nameOf = (attribute) => slot(names, "#", attribute, attribute);
    const valueOf = (path, operator, value) =>
      slot(values, ":", `${path.join("_")}_${operator}`, attributeValue(value));

    const size = (path, operand) => {
      const left = `size(${path.map(nameOf).join(".")})`;
      if (!isMap(operand)) return [`${left} = ${valueOf(path, "size_eq", operand)}`];
      return Object.entries(operand).map(([operator, value]) => compare(left, path, operator, value, "size_"));
    };
    const compare = (left, path, operator, value, prefix) => {
      if (operator === "between") {
        if (!Array.isArray(value) || value.length !== 2) fail("'between' takes a list of two values");
        const [low, high] = value.map((bound, at) => valueOf(path, `${prefix}between_${at}`, bound));
        return `${left} BETWEEN ${low} AND ${high}`;
      }
      if (!Object.hasOwn(COMPARE, operator)) fail(`unknown operator '${operator}' for '${path.join(".")}'`);
      return `${left} ${COMPARE[operator]} ${valueOf(path, prefix + operator, value)}`;
    };
    const term = (path, operator, value) => {
      const left = path.map(nameOf).join(".");
      switch (operator) {
        case "contains": return [`contains(${left},${valueOf(path, operator, value)})`];
        case "notContains": return [`NOT contains(${left},${valueOf(path, operator, value)})`];
        case "beginsWith": return [`begins_with(${left},${valueOf(path, operator, value)})`];
        case "in": return [`${left} IN (${value.map((item, at) => valueOf(path, `in_${at}`, item)).join(", ")})`];
        case "attributeExists": return [value ? `attribute_exists(${left})` : `attribute_not_exists(${left})`];
        case "attributeType":
          if (!Object.hasOwn(TYPES, value)) fail(`unknown attribute type '${value}'`);
          return [`attribute_type(${left},${valueOf(path, operator, TYPES[value])})`];
        case "size": return size(path, value);
        default: return [compare(left, path, operator, value, "")];
      }
    };
    const attribute = (path, operators) => {
      if (!isMap(operators)) fail(`'${path.join(".")}' needs an object of operators, such as {eq: value}`);
      return Object.entries(operators).filter(([, value]) => value !== undefined && value !== null)
        .flatMap(([operator, value]) => {
          if (OPERATORS.includes(operator)) return term(path, operator, value);
          if (isMap(value)) return attribute([...path, operator], value);
          return fail(`unknown operator '${operator}' for '${path.join(".")}'`);
        });
    };
    // DynamoDB refuses redundant parentheses, so only joined terms are put in parentheses.
    const joined = (list, word) =>
      list.length === 1 ? list[0] : list.map((text) => `(${text})`).join(` ${word} `);
    const group = (filters, word) => {
      const parts = (Array.isArray(filters) ? filters : [filters]).map(terms).filter((list) => list.length > 0);
      return parts.length === 0 ? [] : [joined(parts.map((list) => joined(list, "AND")), word)];
    };
    const terms = (filter) =>
      Object.entries(filter).filter(([, value]) => value !== undefined && value !== null).flatMap(([key, value]) => {
        if (key === "and" || key === "or") return group(value, key.toUpperCase());
        if (key !== "not") return attribute([key], value);
        const inner = terms(value);
        return inner.length === 0 ? [] : [`NOT (${joined(inner, "AND")})`];
      });
    const expression = (filter) => terms(filter).map((text) => `(${text})`).join(" AND ");
    return { names, values, expression };
  };

  const toExpression = (filter) => {
    const { names, values, expression } = translator();
    const text = expression(filter);
    return JSON.stringify({
      expression: text,
      ...(Object.keys(names).length > 0 ? { expressionNames: names } : {}),
      ...(Object.keys(values).length > 0 ? { expressionValues: values } : {}),
    });
  };

  __appsync.transform = {
    toDynamoDBFilterExpression: toExpression,
    toDynamoDBConditionExpression: toExpression,
    toElasticsearchQueryDSL: notImitated("util.transform.toElasticsearchQueryDSL"),
    toSubscriptionFilter: notImitated("util.transform.toSubscriptionFilter"),
  };
})();
