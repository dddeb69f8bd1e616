import { readServerEvents } from '../../../agent/client/index.ts'
import { HttpPoint } from '../../../agent/decision-point/index.ts'
import { DynamosError } from '../../../protocol/errors/index.ts'
import { authorised, fakeApi } from '../../api/fake-operations.ts'
import { EVENTS, JSONS, mutateText, YAML } from '../mutate-text.ts'
import type { Mutator } from '../random.ts'
import { bytesOf, holds, type Target, textOf } from '../target.ts'

let fake: ReturnType<typeof fakeApi> | undefined
const api = (): ReturnType<typeof fakeApi> => {
  fake ??= fakeApi()
  return fake
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const
const TYPES = [
  'application/json',
  'application/yaml',
  'text/plain',
  'application/x-www-form-urlencoded'
] as const

/** First line: method, path, type of the body. The rest is the body. */
async function answered(bytes: Uint8Array): Promise<void> {
  const input = textOf(bytes)
  const end = input.indexOf('\n')
  const [wanted = '', path = '', type = ''] = (end < 0 ? input : input.slice(0, end)).split(' ')
  const method = METHODS.find((one) => one === wanted) ?? 'GET'
  const payload = end < 0 ? '' : input.slice(end + 1)
  const answer = await api().inject({
    method,
    url: `/${encodeURI(path.toWellFormed()).replace(/^\/+/, '')}`,
    headers: {
      ...authorised,
      accept: 'application/json',
      ...(payload === '' ? {} : { 'content-type': TYPES.find((one) => one === type) ?? 'application/json' })
    },
    ...(payload === '' ? {} : { payload })
  })
  holds(`no answer is a failure of the agent (${answer.statusCode})`, answer.statusCode < 500)
  if (answer.statusCode < 400) return
  const found: unknown = JSON.parse(answer.payload)
  const code = typeof found === 'object' && found !== null && 'code' in found ? String(found.code) : ''
  throw new DynamosError(code, `status ${answer.statusCode}`)
}

const words: Mutator = mutateText(JSONS)
const yaml: Mutator = mutateText(YAML)
const http: Target = {
  name: 'http/requests',
  mutate: (input, random, other) => (random.chance(2) ? words : yaml)(input, random, other),
  oneIn: 2,
  seeds: async () =>
    [
      'POST /api/v1/requests application/json\n{"purpose":"research","datasets":["wageGap"],"query":"SELECT 1"}',
      'POST /api/v1/requests application/yaml\npurpose: research\ndatasets: [wageGap]\nquery: SELECT 1\n',
      'GET /api/v1/requests?limit=10&status=completed',
      'GET /api/v1/requests/bafyrequest',
      'GET /api/v1/requests/bafyrequest/result?from=VU&offset=0&limit=10',
      'DELETE /api/v1/requests/bafyrequest',
      'GET /api/v1/datasets?find=wage',
      'GET /api/v1/datasets/wageGap',
      'GET /api/v1/audit?limit=10',
      'GET /api/v1/peers',
      'GET /api/v1/agreements',
      'POST /api/v1/agreements application/json\n{"agreement":"x"}',
      'POST /api/v1/approvals/bafyrequest/refuse application/json\n{"reason":"no"}',
      'POST /api/v1/policy/lint application/json\n{"text":"forbid (principal, action, resource);"}'
    ].map(bytesOf),
  read: answered
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 5) yield bytes.subarray(at, at + 5)
}

/** Progress, as a program reads it from an agent. */
const events: Target = {
  name: 'http/events',
  mutate: mutateText(EVENTS),
  seeds: async () =>
    [
      'id: 1\ndata: {"a":1}\n\n',
      ': comment\r\nid: 2\r\ndata: a\r\ndata: b\r\n\r\n',
      'event: x\rdata\r\r'
    ].map(bytesOf),
  async read(bytes) {
    let length = 0
    for await (const { data } of readServerEvents(pieces(bytes))) length += data.length
    // A broken byte becomes one character of three bytes, never more.
    holds('events are no longer than what came', length <= bytes.byteLength)
  }
}

/** What an organisation's own decision point answers: anything but the two answers that there are is a no. */
const point: Target = {
  name: 'http/decision-point',
  mutate: mutateText(JSONS),
  seeds: async () =>
    [
      '{"version":1,"verdict":"permit"}',
      '{"version":1,"verdict":"forbid","reasons":[{"rule":"r","message":"m"}],"facts":{}}'
    ].map(bytesOf),
  async read(bytes) {
    const asking = new HttpPoint(
      { url: 'http://127.0.0.1/', timeout: 20_000 },
      async () => new Response(bytes.slice())
    )
    const { verdict } = await asking.ask(EVALUATION)
    holds('a verdict is one of two', verdict === 'permit' || verdict === 'forbid')
  }
}
type Evaluation = Parameters<HttpPoint['ask']>[0]
const EVALUATION: Evaluation = {
  question: 'offer',
  subject: 'Agreement',
  principal: { organisation: 'UVA', name: 'analyst' },
  resource: { id: 'bafy', attributes: {} },
  context: { purpose: 'research' }
}

export const httpTargets: readonly Target[] = [http, events, point]
