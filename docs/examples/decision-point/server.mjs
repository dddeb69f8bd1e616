// A decision point that speaks the five query facts of DYNAMOS's eFLINT layer, with nothing but Node:
//
//   node docs/examples/decision-point/server.mjs [PORT] [AGREEMENTS.json]
//
// The question of the agent becomes the base facts of that layer (requester, data-steward, dataset, request-type, archetype,
// compute-provider); the relations of each steward are its agreements; the five query facts are derived from both. What an
// eFLINT server would derive from a text is derived here by five functions, so that both can be read side by side.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const MAX_BYTES = 256 * 1024

/** The base facts of one question. */
export function factsOf({ question, requestType, principal, resource, context }) {
  return {
    requester: principal.name,
    'data-steward': resource.type === 'Agreement' ? context.self : null,
    datasets: context.datasets,
    'request-type': requestType,
    archetype: context.archetype,
    'compute-providers': context.infrastructure,
    continues: question === 'continue'
  }
}

/** The five query facts. Each says what it needs of the relation between the requester and the steward. */
export function queries(facts, stewards) {
  const steward = facts['data-steward']
  const relation = stewards[steward]?.relations?.[facts.requester]
  const has = (list, one) => Array.isArray(list) && (list.includes('*') || list.includes(one))
  const permittedAtSteward =
    relation !== undefined &&
    has(relation.requestTypes, facts['request-type']) &&
    facts.datasets.every((dataset) => has(relation.datasets, dataset))
  const validArchetype = permittedAtSteward && has(relation.archetypes, facts.archetype)
  const validComputeProvider =
    permittedAtSteward && facts['compute-providers'].every((one) => has(relation.computeProviders, one))
  const permittedRequest = validArchetype && validComputeProvider
  return {
    'permitted-request': permittedRequest,
    'permitted-at-steward': permittedAtSteward,
    'valid-archetype': validArchetype,
    'valid-compute-provider': validComputeProvider,
    // Asked again while an exchange runs: whoever changed the relations since then is obeyed.
    'permitted-continuation': permittedRequest
  }
}

const MESSAGES = {
  'permitted-at-steward': 'no relation with the steward allows this requester, dataset and kind of request',
  'valid-archetype': 'the relation does not allow this archetype',
  'valid-compute-provider': 'the relation does not allow this compute provider',
  'permitted-continuation': 'the relation does not allow it any more'
}

/** The answer to one question, in the form that the agent expects. */
export function decide(body, stewards) {
  const facts = factsOf(body)
  // Whoever hosts, receives or carries is no data steward: the agent's own rules decide about that.
  if (facts['data-steward'] === null) return { version: 1, verdict: 'permit' }
  const derived = queries(facts, stewards)
  const asked = ['permitted-at-steward', 'valid-archetype', 'valid-compute-provider']
  if (facts.continues) asked.push('permitted-continuation')
  const broken = asked.filter((query) => !derived[query])
  return {
    version: 1,
    verdict: broken.length === 0 ? 'permit' : 'forbid',
    reasons: broken.slice(0, 1).map((rule) => ({ rule, message: MESSAGES[rule] })),
    facts: { base: facts, queries: derived }
  }
}

async function bodyOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > MAX_BYTES) throw new RangeError('too long')
  }
  return JSON.parse(text)
}

/** A server over the relations of a file, which is read anew for each question. */
export function decisionPoint(file) {
  return createServer(async (request, response) => {
    try {
      if (request.method !== 'POST') throw new RangeError('expected POST')
      const { stewards } = JSON.parse(readFileSync(file, 'utf8'))
      const answer = decide(await bodyOf(request), stewards)
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    } catch (error) {
      // Anything but 200 is a no at the agent: a decision point that is confused forbids.
      response.writeHead(400).end(String(error))
    }
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [port = '8181', file = new URL('agreements.json', import.meta.url)] = process.argv.slice(2)
  const server = decisionPoint(file).listen(Number(port), '127.0.0.1', () => {
    console.log(`decides at http://127.0.0.1:${server.address().port}/`)
  })
}
