// DIGG's REST API profile (1.2.0, and what is known of 2.0.0) as a Spectral ruleset, written from the requirements.
//
//   spectral lint --ruleset rest-api-profil.spectral.mjs openapi.yaml
//
// A requirement that says SKALL (shall) is an error, BÖR (should) a warning. Only what can be read in a document is
// here; how the service behaves is for its tests. DIGG's own linter stays the judge, this is the early warning.
//
// A rule is `shall(id, find)` or `should(id, find)`: `find` takes the document and returns findings, each a message
// and a path. The table below follows the chapters of the profile.
import {
  contents, hasMember, headerOf, isText, mediaTypes, members, operations, paths, queryOf, responses, securitySchemes,
  servers,
} from './document.mjs';

// ---- findings

/** One finding about the document, unless `fine`. */
const unless = (fine, message, path = []) => (fine ? [] : [{ message, path }]);

/** One finding for every item of which `isWrong` holds. */
const flag = (items, isWrong, message) => items.filter(isWrong).map(({ at }) => ({ message, path: at }));

// ---- what words and addresses look like

const isJson = (type) => /^application\/json(;|$)/.test(type);
const isProblem = (type) => /^application\/problem\+(json|xml)/.test(type);

const ENGLISH = /\b(and|the|is|that|with|of|from|by|request|response|resource|error|result)\b/i;
const SWEDISH = /(?<![a-zåäö])(och|att|det|som|är|för|på|med|av|har|om|från|till|svar|resurs|anrop|resultat)(?![a-zåäö])/i;

const DATE = /^\d{4}-\d\d-\d\d$/;
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?$/;
const OFFSET = /([Zz]|[+-]\d\d:\d\d)$/;

// The profile knows no digits in field names. `_links` and `_meta` are its own words.
const CAMEL_CASE = /^_?[a-z][a-zA-Z]*$/;
const SNAKE_CASE = /^_?[a-z]+(_[a-z]+)*$/;
const QUERY_NAME = /^([a-z][a-zA-Z0-9]*|[a-z][a-z0-9]*(_[a-z0-9]+)+)$/;

const segments = (path) => path.split('/').filter(Boolean);
const isVariable = (segment) => /[{}]/.test(segment);

// An address without its variables and colons: only these characters may be left.
const PLAIN_ADDRESS = /^[a-z0-9/\-,.~]+$/;
const plain = (address) => PLAIN_ADDRESS.test(address.replace(/\{[^{}]*\}/g, '').replace(/:/g, ''));

const addresses = (doc) => [
  ...servers(doc).map(({ url, at }) => ({ address: url, at })),
  ...paths(doc).map(({ path, at }) => ({ address: path, at })),
];

const PERSONAL_NUMBER = /^(pnr|personalidentitynumber|personnummer|personnr|ssn|socialsecuritynumber)$/i;

// ---- groups of things that several rules look at

const moments = (doc) => members(doc).filter(({ property }) => ['date', 'date-time'].includes(property.format));
const pagedOperations = (doc) =>
  operations(doc).filter((each) => queryOf(each).some(({ name }) => name === 'page' || name === 'offset'));
const query = (operation, name) => queryOf(operation).find((parameter) => parameter.name === name);

const isLevelTwo = (doc) =>
  paths(doc).length >= 2 &&
  new Set(operations(doc).map(({ method }) => method)).size >= 2 &&
  paths(doc).every(({ path }) => operations(doc).some((each) => each.path === path));

const isLinked = ({ response }) =>
  Object.keys(response.links ?? {}).length > 0 ||
  mediaTypes(response.content).some(({ type, media }) => type === 'application/hal+json' || hasMember(media.schema, '_links'));

// ---- the rules

const rules = {};
const add = (severity, level) => (id, find) => {
  rules[`rest-api-profil-${id.toLowerCase().replace('.', '-')}`] = {
    given: '$',
    severity,
    message: `${id} ${level}: {{error}}`,
    then: { function: (doc) => find(doc) },
  };
};
const shall = add('error', 'SKALL');
const should = add('warn', 'BÖR');

// Documentation (DOK)

should('DOK.01', (doc) => unless(
  !doc.externalDocs || (isText(doc.externalDocs.description) && isText(doc.externalDocs.url)),
  'external documentation has a description and an address', ['externalDocs']));

shall('DOK.03', (doc) => {
  const wanted = ['version', 'title', 'description', 'contact', 'license', 'contact.name', 'contact.url', 'contact.email',
    'license.name', 'license.url'];
  const value = (dotted) => dotted.split('.').reduce((object, key) => object?.[key], doc.info);
  return wanted.filter((dotted) => !value(dotted)).map((dotted) => ({ message: `info.${dotted} is missing`, path: ['info'] }));
});

should('DOK.03-terms', (doc) => unless(isText(doc.info?.termsOfService), 'info.termsOfService is missing', ['info']));

should('DOK.06', (doc) => unless(
  ENGLISH.test(doc.info?.description ?? '') && SWEDISH.test(doc.info?.description ?? ''),
  'info.description is in Swedish and in English', ['info']));

shall('DOK.08', (doc) => unless(
  doc.info?.termsOfService ||
  ['availability', 'responseTime', 'support'].every((key) => doc.info?.['x-sla']?.[key]) ||
  (/\bsla\b|service level agreement/i.test(doc.externalDocs?.description ?? '') && doc.externalDocs?.url),
  'the service level is told, in termsOfService, x-sla or the external documentation', ['info']));

shall('DOK.09', (doc) => unless(
  doc.info?.['x-limitations'] || /limit|begränsning|problem/i.test(`${doc.info?.description} ${doc.externalDocs?.description}`),
  'known problems and limitations are told', ['info']));

shall('DOK.11', (doc) => unless(isText(doc.info?.description), 'info.description is missing', ['info']));

shall('DOK.15', (doc) => contents(doc).flatMap(({ content, at }) => mediaTypes(content)
  .filter(({ type, media }) => isJson(type) &&
    [media.example, media.examples, media.schema?.example].every((example) => example === undefined))
  .map(({ type }) => ({ message: 'a JSON body has a whole example', path: [...at, type] }))));

should('DOK.17', (doc) => unless(
  /^([3-9]|[1-9]\d+)\.\d+\.\d+$/.test(doc.openapi ?? ''), 'the document is OpenAPI 3 or later', ['openapi']));

shall('DOK.19', (doc) => [
  ...flag(operations(doc), ({ operation }) => !isText(operation.summary) || !isText(operation.description),
    'an operation has a summary and a description'),
  // DIGG's linter counts whatever stands in a path as an operation.
  ...flag(paths(doc), ({ item }) => item.parameters, 'parameters stand in the operations, not in the path'),
]);

shall('DOK.20', (doc) => flag(responses(doc), ({ response }) => !isText(response.description), 'a response has a description'));

shall('DOK.21', (doc) => unless(
  Array.isArray(doc.security) || operations(doc).some(({ operation }) => operation.security),
  'the document states what authentication is needed'));

// Dates and times (DOT)

shall('DOT.02', (doc) => flag(moments(doc),
  ({ property }) => !(property.format === 'date' ? DATE : DATE_TIME).test(property.example ?? ''),
  'a date or time has an RFC 3339 example (`example`, not `examples`)'));

should('DOT.04', (doc) => flag(moments(doc),
  ({ property }) => property.format === 'date-time' && !OFFSET.test(property.example ?? ''),
  'the example of a time has an offset from UTC'));

// Resources and addresses (RES, UFN)

should('RES.02', (doc) => flag(operations(doc),
  ({ parameters }) => parameters.some((parameter) => ['query', 'path'].includes(parameter.in) && PERSONAL_NUMBER.test(parameter.name)),
  'a personal identity number is not a parameter'));

shall('RES.06', (doc) => flag(paths(doc),
  ({ path }) => segments(path).filter((segment) => !isVariable(segment)).some((segment) =>
    !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(segment) || /^(get|put|post|delete|patch)-/.test(segment)),
  'a resource is named in lower case with hyphens, without a verb before it'));

should('UFN.01', (doc) => flag(servers(doc),
  ({ url }) => !/^[^/]*:\/\/[^/]+\/[^/]+\/v\d+\/?$/.test(url), 'a server is {protocol}://{domain}/{api}/v{n}'));

shall('UFN.02', (doc) => flag(servers(doc),
  ({ url }) => !/^https:/.test(url) || /^https:\/\/[^/]*:(?!443(\/|$))\d+/.test(url), 'a server is reached by HTTPS on port 443'));

should('UFN.05', (doc) => flag(paths(doc),
  ({ path }) => servers(doc).some(({ url }) => url.length + path.length > 2048), 'an address has at most 2048 characters'));

shall('UFN.07', (doc) => flag(addresses(doc), ({ address }) => !plain(address), 'an address has only a-z, 0-9 and - . ~'));

shall('UFN.08', (doc) => flag(paths(doc),
  ({ path }) => segments(path).filter((segment) => !segment.startsWith('{'))
    .some((segment) => /[,._~]|--/.test(segment) || /^-|-$/.test(segment)),
  'words are parted by single hyphens'));

shall('UFN.09', (doc) => flag(addresses(doc), ({ address }) => /[\s_]/.test(address), 'an address has no space and no underscore'));

// Media types, fields and errors (AME, ARQ, FEL)

should('AME.01', (doc) => flag(contents(doc, ({ isError }) => !isError),
  ({ content }) => !Object.keys(content).some(isJson), 'application/json is among the media types'));

should('AME.04', (doc) => flag(members(doc),
  ({ name }) => !CAMEL_CASE.test(name) && !SNAKE_CASE.test(name), 'a field is camelCase or snake_case, without digits'));

shall('AME.05', (doc) => (members(doc).some(({ name }) => /^[a-z]+[A-Z]/.test(name))
  ? flag(members(doc), ({ name }) => /^[a-z]+_[a-z]/.test(name), 'camelCase and snake_case are not mixed')
  : []));

should('AME.07', (doc) => flag(members(doc), ({ name }) => !/^\w+$/.test(name), 'a field name is alphanumeric'));

shall('ARQ.05', (doc) => flag(operations(doc),
  ({ parameters }) => parameters.some((parameter) => parameter.in === 'header' &&
    (parameter.schema?.type === 'object' || parameter.schema?.format === 'binary')),
  'content is not carried in headers'));

shall('FEL.01', (doc) => responses(doc).flatMap(({ response, at }) => mediaTypes(response.content)
  .filter(({ type, media }) => isProblem(type) && (media.schema?.type !== 'object' ||
    ['type', 'title', 'status', 'detail', 'instance'].some((member) => !media.schema.properties?.[member])))
  .map(({ type }) => ({
    // DIGG's linter does not look into `allOf`.
    message: 'a problem is an object with type, title, status, detail and instance written out',
    path: [...at, 'content', type],
  }))));

shall('FEL.02', (doc) => flag(responses(doc),
  ({ response, isError }) => isError && response.content && !Object.keys(response.content).some((type) => /^application\/problem\+/.test(type)),
  'an error is application/problem+json'));

// Versions (VER)

should('VER.05', (doc) => flag(servers(doc), ({ url }) => !/\/v\d+(\/|$)/.test(url), 'the address has the version, v{n}'));

shall('VER.06', (doc) => unless(doc.paths?.['/api-info'], 'the resource /api-info is missing', ['paths']));

// Filtering and paging (FNS)

shall('FNS.01', (doc) => flag(operations(doc),
  (each) => queryOf(each).some(({ name }) => !QUERY_NAME.test(name)), 'a query parameter is camelCase or snake_case'));

should('FNS.05', (doc) => flag(operations(doc), (each) => queryOf(each).some(({ required }) => required), 'query parameters are optional'));

shall('FNS.07', (doc) => flag(pagedOperations(doc), (each) => !query(each, 'limit'), '`limit` stands beside `page` or `offset`'));

shall('FNS.08', (doc) => flag(pagedOperations(doc),
  (each) => query(each, 'page') && query(each, 'limit') && query(each, 'page').schema?.default !== 1, '`page` is 1 by default'));

should('FNS.09', (doc) => flag(pagedOperations(doc),
  (each) => query(each, 'limit') && query(each, 'limit').schema?.default !== 20, '`limit` is 20 by default'));

// Security (SAK) and formal rules (FOR)

shall('SAK.01', (doc) => flag(servers(doc), ({ url }) => !/^https:\/\//.test(url), 'a server is reached by HTTPS'));

shall('SAK.09', (doc) => flag(securitySchemes(doc), ({ scheme }) => /^(basic|digest)$/i.test(scheme.scheme ?? ''), 'Basic and Digest are not used'));

shall('SAK.10', (doc) => flag(securitySchemes(doc), ({ scheme }) => scheme.scheme && scheme.scheme !== 'bearer', 'the HTTP scheme is bearer'));

shall('SAK.15-16', (doc) => flag(securitySchemes(doc),
  ({ scheme }) => scheme.type === 'apiKey' && scheme.in !== 'header', 'an API key is sent in a header'));

should('SAK.18', (doc) => flag(securitySchemes(doc),
  ({ scheme }) => scheme.type === 'oauth2' && Object.values(scheme.flows ?? {}).some((flow) =>
    Object.entries(flow ?? {}).some(([key, value]) => key.endsWith('Url') && String(value).startsWith('http:'))),
  'the addresses of OAuth are HTTPS'));

should('SAK.29', (doc) => flag(operations(doc),
  ({ operation }) => operation.requestBody && !operation.responses?.['415'], '415 is documented where there is a request body'));

shall('FOR.02', (doc) => flag(operations(doc), ({ method, operation }) => method === 'get' && operation.requestBody, 'GET has no body'));

// Tracing (SPA)

shall('SPA.02', (doc) => flag(operations(doc),
  (each) => !headerOf(each, 'traceparent') || headerOf(each, 'traceparent').required === true,
  'every operation takes the optional header traceparent'));

should('SPA.04', (doc) => flag(responses(doc),
  ({ response }) => !Object.keys(response.headers ?? {}).some((name) => name.toLowerCase() === 'traceparent'),
  'every response carries the header traceparent'));

shall('SPA.07', (doc) => flag(operations(doc),
  (each) => headerOf(each, 'x-request-id') && !headerOf(each, 'traceparent'), 'x-request-id does not stand in for traceparent'));

// Maturity (MOG)

shall('MOG.01', (doc) => unless(isLevelTwo(doc), 'Richardson level 2: resources and methods', ['paths']));

should('MOG.02', (doc) => unless(isLevelTwo(doc) && responses(doc).some(isLinked), 'Richardson level 3: responses with links', ['paths']));

export default { rules };
