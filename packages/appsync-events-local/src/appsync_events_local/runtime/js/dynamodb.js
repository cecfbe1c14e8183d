// Typed attribute values (util.dynamodb) and the request objects of '@aws-appsync/utils/dynamodb'. Outputs equal those
// captured from AWS where there are any: numbers stay JSON numbers ({"N": 10}), NULL holds null.
(() => {
  "use strict";
  const { fail, deepFreeze, notImitated } = __appsync;
  const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const missing = (value) => value === null || value === undefined;

  const toDynamoDB = (value) => {
    if (missing(value)) return { NULL: null };
    if (typeof value === "string") return { S: value };
    if (typeof value === "number") return { N: value };
    if (typeof value === "boolean") return { BOOL: value };
    if (Array.isArray(value)) return { L: value.map(toDynamoDB) };
    if (isMap(value)) return isSet(value) ? { ...value } : { M: toMapValues(value) };
    return fail(`a ${typeof value} cannot be stored in DynamoDB`);
  };
  // The results of toStringSet and similar functions are already typed; items hold them unchanged.
  const sets = new WeakSet();
  const isSet = (value) => sets.has(value);
  const remember = (typed) => {
    sets.add(typed);
    return typed;
  };
  const toMapValues = (value) =>
    missing(value) ? null : Object.fromEntries(
      Object.entries(value).filter(([, item]) => item !== undefined).map(([name, item]) => [name, toDynamoDB(item)]),
    );
  const typedAs = (type) => (value) => (missing(value) ? null : { [type]: value });
  const setOf = (type) => (value) => (missing(value) ? null : remember({ [type]: [...value] }));

  const s3 = (key, bucket, region, version) => {
    const object = missing(version) ? { key, bucket, region } : { key, bucket, region, version };
    return { S: JSON.stringify({ s3: object }) };
  };

  __appsync.dynamodb = {
    toDynamoDB: (value) => (missing(value) ? null : toDynamoDB(value)),
    toString: typedAs("S"),
    toStringSet: setOf("SS"),
    toNumber: typedAs("N"),
    toNumberSet: setOf("NS"),
    toBinary: typedAs("B"),
    toBinarySet: setOf("BS"),
    toBoolean: typedAs("BOOL"),
    toNull: () => ({ NULL: null }),
    toList: (value) => (missing(value) ? null : { L: value.map(toDynamoDB) }),
    toMap: (value) => (missing(value) ? null : { M: toMapValues(value) }),
    toMapValues,
    toS3Object: s3,
    fromS3ObjectJson: (text) => JSON.parse(text).s3,
  };

  // Placeholders of one expression, numbered; the same attribute name gets the same placeholder.
  const placeholders = (namePrefix, valuePrefix) => {
    const names = {};
    const values = {};
    const known = new Map();
    return {
      names,
      values,
      name: (attribute) => {
        if (!known.has(attribute)) {
          const placeholder = `#${namePrefix}_${known.size + 1}`;
          known.set(attribute, placeholder);
          names[placeholder] = attribute;
        }
        return known.get(attribute);
      },
      value: (value) => {
        const placeholder = `:${valuePrefix}_${Object.keys(values).length + 1}`;
        values[placeholder] = toDynamoDB(value);
        return placeholder;
      },
    };
  };
  const expressionOf = (expression, slots) => ({
    expression,
    ...(Object.keys(slots.names).length > 0 ? { expressionNames: slots.names } : {}),
    ...(Object.keys(slots.values).length > 0 ? { expressionValues: slots.values } : {}),
  });

  const projectionOf = (paths) => {
    if (isMap(paths)) return paths;
    const slots = placeholders("projName", "projValue");
    const one = (path) =>
      path.split(".").map((part) => {
        const [, name, indexes] = /^([^[]+)((?:\[\d+\])*)$/.exec(part) ?? fail(`not an attribute path: ${path}`);
        return slots.name(name) + indexes;
      }).join(".");
    return { expression: paths.map(one).join(", "), expressionNames: slots.names };
  };

  const KEY_OPERATORS = {
    eq: (name, [value]) => `${name} = ${value}`,
    le: (name, [value]) => `${name} <= ${value}`,
    lt: (name, [value]) => `${name} < ${value}`,
    ge: (name, [value]) => `${name} >= ${value}`,
    gt: (name, [value]) => `${name} > ${value}`,
    beginsWith: (name, [value]) => `begins_with(${name}, ${value})`,
    between: (name, [low, high]) => `${name} BETWEEN ${low} AND ${high}`,
  };
  const keyCondition = (conditions) => {
    const slots = placeholders("keyName", "keyValue");
    const terms = Object.entries(conditions).flatMap(([attribute, operators]) =>
      Object.entries(operators).map(([operator, operand]) => {
        if (!Object.hasOwn(KEY_OPERATORS, operator)) fail(`'${operator}' cannot be used in a key condition`);
        const operands = operator === "between" ? operand : [operand];
        return KEY_OPERATORS[operator](slots.name(attribute), operands.map(slots.value));
      }),
    );
    return expressionOf(terms.join(" AND "), slots);
  };

  const operation = (type, content) => Object.freeze({ type: `OPERATION_${type}`, ...content });
  const operations = {
    add: (value) => operation("ADD", { value }),
    remove: () => operation("REMOVE", {}),
    replace: (value) => operation("REPLACE", { value }),
    increment: (by = 1) => operation("INCREMENT", { by }),
    decrement: (by = 1) => operation("DECREMENT", { by }),
    append: (items) => operation("APPEND", { items }),
    prepend: (items) => operation("PREPEND", { items }),
    updateListItem: (value, index) => operation("UPDATE_LIST_ITEM", { value, index }),
  };
  const isOperation = (value) => isMap(value) && typeof value.type === "string" && value.type.startsWith("OPERATION_");
  const holdsOperation = (value) =>
    isOperation(value) || (Array.isArray(value) && value.some(isOperation))
    || (isMap(value) && !isSet(value) && Object.values(value).some(holdsOperation));

  const updateTerm = (path, value, slots, set, remove) => {
    if (value === undefined) return;
    if (isOperation(value)) {
      const put = (right) => set.push(`${path} = ${right}`);
      switch (value.type) {
        case "OPERATION_ADD": case "OPERATION_REPLACE": return put(slots.value(value.value));
        case "OPERATION_INCREMENT": return put(`${path} + ${slots.value(value.by)}`);
        case "OPERATION_DECREMENT": return put(`${path} - ${slots.value(value.by)}`);
        case "OPERATION_APPEND": return put(`list_append(${path}, ${slots.value(value.items)})`);
        case "OPERATION_PREPEND": return put(`list_append(${slots.value(value.items)}, ${path})`);
        case "OPERATION_REMOVE": return remove.push(path);
        case "OPERATION_UPDATE_LIST_ITEM":
          return set.push(`${path}[${value.index}] = ${slots.value(value.value)}`);
      }
    }
    if (holdsOperation(value)) {
      // An array of updateListItem works on the list itself, an object works on its attributes.
      if (Array.isArray(value)) value.forEach((item) => updateTerm(path, item, slots, set, remove));
      else Object.entries(value).forEach(([name, item]) =>
        updateTerm(`${path}.${slots.name(name)}`, item, slots, set, remove));
      return;
    }
    set.push(`${path} = ${slots.value(value)}`);
  };
  const updateOf = (update) => {
    const slots = placeholders("expName", "expValue");
    const set = [];
    const remove = [];
    Object.entries(update).forEach(([name, value]) => {
      if (value !== undefined) updateTerm(slots.name(name), value, slots, set, remove);
    });
    const clauses = [
      ...(set.length > 0 ? [`SET ${set.join(", ")}`] : []),
      ...(remove.length > 0 ? [`REMOVE ${remove.join(", ")}`] : []),
    ];
    return expressionOf(clauses.join(" "), slots);
  };

  const filterOf = (filter) => JSON.parse(__appsync.transform.toDynamoDBFilterExpression(filter));
  const given = (source, names) =>
    Object.fromEntries(names.filter((name) => !missing(source[name])).map((name) => [name, source[name]]));
  const condition = (payload) => (missing(payload.condition) ? {} : { condition: filterOf(payload.condition) });
  const projection = (payload) => (missing(payload.projection) ? {} : { projection: projectionOf(payload.projection) });
  const filter = (payload) => (missing(payload.filter) ? {} : { filter: filterOf(payload.filter) });
  const CONFLICT = ["customPartitionKey", "populateIndexFields", "_version"];
  const PAGE = ["index", "limit", "nextToken", "consistentRead", "select"];

  // A transaction's condition says whether the failing item is returned; helpers leave it at true, the type's default.
  const transactCondition = (payload) =>
    missing(payload.condition)
      ? {} : { condition: { ...filterOf(payload.condition), returnValuesOnConditionCheckFailure: true } };
  const TRANSACT = {
    putItem: (item) => ({
      table: item.table, operation: "PutItem", key: toMapValues(item.key), attributeValues: toMapValues(item.item),
    }),
    updateItem: (item) => ({
      table: item.table, operation: "UpdateItem", key: toMapValues(item.key), update: updateOf(item.update),
    }),
    deleteItem: (item) => ({ table: item.table, operation: "DeleteItem", key: toMapValues(item.key) }),
    conditionCheck: (item) => ({ table: item.table, operation: "ConditionCheck", key: toMapValues(item.key) }),
  };
  const transactItem = (entry) => {
    const [kind, ...more] = Object.keys(entry);
    if (more.length > 0 || !Object.hasOwn(TRANSACT, kind ?? "")) {
      fail("each transactWrite item has exactly one of putItem, updateItem, deleteItem, conditionCheck");
    }
    return { ...TRANSACT[kind](entry[kind]), ...transactCondition(entry[kind]) };
  };
  const perTable = (tables, convert) =>
    Object.fromEntries(Object.entries(tables).map(([table, content]) => [table, convert(content)]));

  const get = (payload) => ({
    operation: "GetItem", key: toMapValues(payload.key), ...given(payload, ["consistentRead"]), ...projection(payload),
  });
  const put = (payload) => ({
    operation: "PutItem", key: toMapValues(payload.key), attributeValues: toMapValues(payload.item),
    ...condition(payload), ...given(payload, CONFLICT),
  });
  const update = (payload) => ({
    operation: "UpdateItem", key: toMapValues(payload.key), update: updateOf(payload.update), ...condition(payload),
    ...given(payload, CONFLICT),
  });
  const remove = (payload) => ({
    operation: "DeleteItem", key: toMapValues(payload.key), ...condition(payload), ...given(payload, CONFLICT),
  });
  const query = (payload) => ({
    operation: "Query", query: keyCondition(payload.query), ...given(payload, [...PAGE, "scanIndexForward"]),
    ...filter(payload), ...projection(payload),
  });
  const scan = (payload) => ({
    operation: "Scan", ...given(payload, [...PAGE, "totalSegments", "segment"]), ...filter(payload),
    ...projection(payload),
  });

  __appsync.modules["@aws-appsync/utils/dynamodb"] = deepFreeze({
    get, put, update, remove, query, scan, operations,
    sync: notImitated("sync of '@aws-appsync/utils/dynamodb'"),
    batchGet: (payload) => ({
      operation: "BatchGetItem",
      tables: perTable(payload.tables, (table) => ({
        keys: table.keys.map(toMapValues), ...given(table, ["consistentRead"]), ...projection(table),
      })),
    }),
    batchPut: (payload) => ({
      operation: "BatchPutItem", tables: perTable(payload.tables, (items) => items.map(toMapValues)),
    }),
    batchDelete: (payload) => ({
      operation: "BatchDeleteItem", tables: perTable(payload.tables, (keys) => keys.map(toMapValues)),
    }),
    transactGet: (payload) => ({
      operation: "TransactGetItems",
      transactItems: payload.items.map((item) => ({
        table: item.table, key: toMapValues(item.key), ...projection(item),
      })),
    }),
    transactWrite: (payload) => ({
      operation: "TransactWriteItems", transactItems: payload.items.map(transactItem),
    }),
    toStringSet: setOf("SS"),
    toNumberSet: setOf("NS"),
    toBinarySet: setOf("BS"),
  });
  __appsync.attributeValue = toDynamoDB;
})();
