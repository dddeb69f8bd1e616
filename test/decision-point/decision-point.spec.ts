import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { expect } from 'chai'
import {
  type Asking,
  askedByHttp,
  HttpPoint,
  MAX_ANSWER_BYTES,
  noDecisionPoint
} from '../../agent/decision-point/index.ts'
import {
  createCedarEngine,
  decideAsHost,
  decideAsProvider,
  type PolicyEngine,
  type Verdict
} from '../../policy/index.ts'
import { refusal } from '../../protocol/documents/index.ts'
import { anAgreement, hostFacts, providerFacts } from '../policy/builders.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

const says =
  (value: unknown): Answer =>
  (_request, response) =>
    response.end(JSON.stringify(value))
const PERMIT = says({ version: 1, verdict: 'permit' })

describe('A decision point', () => {
  let engine: PolicyEngine
  let server: Server
  let url: string
  let answer: Answer
  const asked: { headers: IncomingMessage['headers']; body: string }[] = []
  const logged: string[] = []

  before(async () => {
    engine = await createCedarEngine()
    server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      request.on('end', () => {
        asked.push({ headers: request.headers, body })
        answer(request, response, body)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('expected a port')
    url = `http://127.0.0.1:${address.port}/`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    asked.length = 0
    logged.length = 0
    answer = PERMIT
  })

  const asking = (init: { timeout?: number; token?: string } = {}): Asking =>
    askedByHttp({
      http: new HttpPoint({ url, timeout: 5000, ...init }),
      organisation: 'VU',
      log: { warn: (fields) => logged.push(JSON.stringify(fields)) }
    }).asking(engine)
  const agreement = anAgreement()
  const decide = async (using: Asking, purpose = 'research'): Promise<Verdict> =>
    await using.confirm(decideAsProvider(using.engine, providerFacts({ purpose }, [agreement]), [agreement]))

  it('is asked about what the rules permit, with the facts that they were told', async () => {
    const verdict = await decide(asking({ token: 'secret' }))
    expect(verdict.verdict).to.equal('permit')
    expect(verdict.clauses).to.include('decision-point')
    expect(asked).to.have.length(1)
    expect(asked[0]?.headers).to.include({
      authorization: 'Bearer secret',
      'content-type': 'application/json'
    })
    const body: unknown = JSON.parse(asked[0]?.body ?? '')
    expect(body).to.deep.include({ version: 1, question: 'accept', requestType: 'sqlDataRequest' })
    expect(body).to.have.nested.property('principal.name', 'analyst')
    expect(body).to.have.nested.property('resource.type', 'Agreement')
    expect(body).to.have.nested.property('resource.attributes.name', 'wage-gap')
    expect(body).to.have.deep.nested.property('resource.attributes.purposes', {
      any: false,
      names: ['research']
    })
    expect(body).to.have.nested.property('context.now', '2026-06-01T12:00:00.000Z')
  })

  it('is not asked about what they deny, and cannot lift it', async () => {
    const verdict = await decide(asking(), 'marketing')
    expect(verdict).to.have.nested.property('refusal.code', 'purpose-not-permitted')
    expect(asked).to.deep.equal([])
  })

  it('forbids in its own words', async () => {
    answer = says({
      version: 1,
      verdict: 'forbid',
      reasons: [{ rule: 'valid-archetype', message: 'not so' }],
      facts: { any: ['thing'] }
    })
    const verdict = await decide(asking())
    if (verdict.verdict === 'permit') throw new Error('expected a denial')
    expect(verdict.clauses).to.deep.equal(['decision-point#valid-archetype'])
    expect(refusal.parse(verdict.refusal)).to.include({
      code: 'policy-forbids',
      reason: 'the decision point of VU forbids it: not so'
    })
  })

  const failures: [string, Answer, RegExp][] = [
    ['another status', (_request, response) => response.writeHead(503).end(), /503/],
    ['204', (_request, response) => response.writeHead(204).end(), /204/],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      /redirect/
    ],
    ['no JSON', (_request, response) => response.end('yes'), /JSON/],
    ['another verdict', says({ version: 1, verdict: 'allow' }), /verdict/],
    ['another version', says({ version: 2, verdict: 'permit' }), /version/],
    ['no verdict', says({ version: 1 }), /verdict/],
    ['a key that is not known', says({ version: 1, verdict: 'permit', unless: 'never' }), /expected/],
    ['a list', says([{ version: 1, verdict: 'permit' }]), /expected/],
    [
      'too much',
      says({ version: 1, verdict: 'permit', facts: 'x'.repeat(MAX_ANSWER_BYTES) }),
      /at most 65536 bytes/
    ],
    ['bytes that are no text', (_request, response) => response.end(Buffer.from([0xff, 0xfe])), /./],
    [
      'half an answer',
      (_request, response) =>
        response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
      /./
    ]
  ]
  for (const [what, failing, message] of failures)
    it(`is a no that tells nothing when it answers ${what}`, async () => {
      answer = failing
      const verdict = await decide(asking())
      if (verdict.verdict === 'permit') throw new Error('expected a denial')
      expect(refusal.parse(verdict.refusal)).to.deep.equal({
        code: 'decision-point-unavailable',
        clause: null,
        reason: 'the decision point of VU gave no answer, so the answer is no',
        acceptable: null,
        position: null
      })
      expect(logged.join()).to.match(message)
    })

  it('is a no when it does not answer in time, or not to the end', async () => {
    for (const slow of [
      () => undefined,
      (_request: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(200).write('{"version": 1, ')
    ]) {
      answer = slow
      expect(await decide(asking({ timeout: 50 }))).to.have.nested.property(
        'refusal.code',
        'decision-point-unavailable'
      )
    }
    expect(logged.join()).to.include('within 50 ms')
  })

  it('is a no when nobody listens', async () => {
    const nobody = askedByHttp({
      http: new HttpPoint({ url: 'http://127.0.0.1:1/', timeout: 5000 }),
      organisation: 'VU',
      log: { warn: () => undefined }
    }).asking(engine)
    expect(await decide(nobody)).to.have.nested.property('refusal.code', 'decision-point-unavailable')
  })

  it('is asked the same once in decisions that are taken together, and not again once it failed', async () => {
    const together = asking()
    await decide(together)
    await decide(together)
    expect(asked).to.have.length(1)
    answer = (_request, response) => response.writeHead(500).end()
    const failing = asking()
    for (let time = 0; time < 3; time += 1) expect((await decide(failing)).verdict).to.equal('deny')
    expect(asked).to.have.length(2)
  })

  it('is asked about the agreement that permits, not about others that were looked at', async () => {
    const agreements = [
      anAgreement({ purposes: [] }, { id: 'bafya', name: 'one' }),
      anAgreement({}, { id: 'bafyb', name: 'two' }),
      anAgreement({}, { id: 'bafyc', name: 'three' })
    ]
    const using = asking()
    const facts = providerFacts({}, agreements)
    for (const agreement of agreements) decideAsProvider(using.engine, facts, [agreement])
    await using.confirm(decideAsProvider(using.engine, facts, agreements))
    expect(asked.map(({ body }) => JSON.parse(body).resource.attributes.name)).to.deep.equal(['two'])
  })

  it('is asked about hosting too', async () => {
    const using = asking()
    const hosting = { for: '*', algorithms: '*', perJob: { memory: 1, seconds: 1, disk: 1 } } as const
    expect((await using.confirm(decideAsHost(using.engine, hostFacts(), hosting))).verdict).to.equal('permit')
    expect(JSON.parse(asked[0]?.body ?? '').resource.type).to.equal('Hosting')
  })

  it('that is not configured changes nothing', async () => {
    const using = noDecisionPoint.asking(engine)
    expect(using.engine).to.equal(engine)
    const verdict = decideAsProvider(engine, providerFacts({}, [agreement]), [agreement])
    expect(await using.confirm(verdict)).to.equal(verdict)
  })
})
