// Ways to walk an OpenAPI document. What is right or wrong in it is left to the rules.
//
// Everything handed out carries `at`, its path in the document, so that a finding points at the right line.

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];

const entries = (object) => Object.entries(object ?? {});

export const isText = (value) => typeof value === 'string' && value.trim() !== '';

export const servers = (doc) =>
  (doc.servers ?? []).map((server, index) => ({ url: server?.url ?? '', at: ['servers', index, 'url'] }));

export const paths = (doc) => entries(doc.paths).map(([path, item]) => ({ path, item: item ?? {}, at: ['paths', path] }));

/** Every operation, with the parameters of its path and its own taken together. */
export const operations = (doc) =>
  paths(doc).flatMap(({ path, item }) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      path,
      method,
      operation: item[method],
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].filter(Boolean),
      at: ['paths', path, method],
    })));

export const queryOf = ({ parameters }) => parameters.filter((parameter) => parameter.in === 'query');

export const headerOf = ({ parameters }, name) =>
  parameters.find((parameter) => parameter.in === 'header' && parameter.name?.toLowerCase() === name);

export const responses = (doc) =>
  operations(doc).flatMap(({ operation, at }) =>
    entries(operation.responses).map(([status, response]) => ({
      status,
      response: response ?? {},
      isError: status === 'default' || /^[45]/.test(status),
      at: [...at, 'responses', status],
    })));

/** The media types of every request body, and of every response that `keep` lets through. */
export const contents = (doc, keep = () => true) => [
  ...responses(doc).filter(keep).filter(({ response }) => response.content)
    .map(({ response, at }) => ({ content: response.content, at: [...at, 'content'] })),
  ...operations(doc).filter(({ operation }) => operation.requestBody?.content)
    .map(({ operation, at }) => ({ content: operation.requestBody.content, at: [...at, 'requestBody', 'content'] })),
];

export const mediaTypes = (content) => entries(content).map(([type, media]) => ({ type, media: media ?? {} }));

/** The members of the named schemas. */
export const members = (doc) =>
  entries(doc.components?.schemas).flatMap(([schema, body]) =>
    entries(body?.properties).map(([name, property]) => ({
      name,
      property: property ?? {},
      at: ['components', 'schemas', schema, 'properties', name],
    })));

export const securitySchemes = (doc) =>
  entries(doc.components?.securitySchemes).map(([name, scheme]) => ({
    scheme: scheme ?? {},
    at: ['components', 'securitySchemes', name],
  }));

/** Whether a schema, or a part it is put together of, has a member of this name. */
export const hasMember = (schema, name) =>
  Boolean(schema) && typeof schema === 'object' && (
    Boolean(schema.properties?.[name]) ||
    ['allOf', 'anyOf', 'oneOf'].some((key) => (schema[key] ?? []).some((part) => hasMember(part, name))) ||
    hasMember(schema.items, name));
