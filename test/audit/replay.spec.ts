import { createReadStream } from 'node:fs'
import { expect } from 'chai'
import { z } from 'zod'
import { recordsOf } from '../../agent/audit/check/records-of.ts'
import {
  type OpenedDecision,
  parseEntry,
  type ReplaySources,
  replayDecisions
} from '../../agent/audit/index.ts'
import { createCedarEngine, type RuleFile } from '../../policy/index.ts'
import { decodePlain, encodePlain, openDocument, type Payload } from '../../protocol/documents/index.ts'

const VU_OPEN = new URL('../fixtures/audit/vu-open.audit', import.meta.url)

type Content = Record<string, unknown>
const content = z.record(z.string(), z.unknown())
const withCalls = z.looseObject({ calls: z.array(z.looseObject({ facts: content })) })

interface Read {
  decisions: OpenedDecision[]
  agreements: Map<string, Payload<'agreement'>>
  contracts: Map<string, Payload<'contract'>>
  policies: Map<string, { engine: string; files: RuleFile[] }>
}

async function read(): Promise<Read> {
  const found: Read = { decisions: [], agreements: new Map(), contracts: new Map(), policies: new Map() }
  const entries = new Map<number, ReturnType<typeof parseEntry>>()
  for await (const one of recordsOf(createReadStream(VU_OPEN))) {
    if (one.kind !== 'record') throw new Error(one.reason)
    const { record } = one
    if (record.kind === 'entry') entries.set(record.sequence, parseEntry(record.entry))
    else if (record.kind === 'policy') found.policies.set(record.id, record)
    else if (record.kind === 'document' && record.type === 'agreement') {
      const { id, payload } = await openDocument('agreement', record)
      found.agreements.set(id, payload)
    } else if (record.kind === 'document' && record.type === 'contract') {
      const { id, payload } = await openDocument('contract', record)
      found.contracts.set(id, payload)
    } else if (record.kind === 'opening') {
      const entry = entries.get(record.sequence)
      if (entry?.kind !== 'decision') throw new Error('expected a decision')
      const { question, verdict } = entry.fields
      const contract = entry.contract ?? null
      found.decisions.push({ question, verdict, contract, organisation: 'VU', content: record.content })
    }
  }
  return found
}

function changed(decision: OpenedDecision, facts: Content, rest: Content = {}): OpenedDecision {
  const known = decodePlain(decision.content, withCalls)
  const calls = known.calls.map((call) => ({ ...call, facts: { ...call.facts, ...facts } }))
  return { ...decision, content: encodePlain({ ...known, calls, ...rest }) }
}

describe('Replaying decisions', () => {
  let file: Read
  const accept = () => {
    const found = file.decisions.find(({ question }) => question === 'accept')
    if (found === undefined) throw new Error('expected a decision to accept')
    return found
  }
  const standing = async (decision: OpenedDecision, sources: Partial<ReplaySources> = {}) => {
    const [answer] = await replayDecisions([decision], { ...file, ...sources })
    if (answer === undefined) throw new Error('expected an answer')
    return answer.standing === 'attested' ? `attested: ${answer.why}` : answer.standing
  }
  before(async () => {
    file = await read()
  })

  it('comes to the same verdict in each decision of an honest export', async () => {
    const answers = await replayDecisions(file.decisions, file)
    expect(file.decisions.map(({ question }) => question)).to.deep.equal([
      'offer',
      'accept',
      'start',
      'send',
      'send'
    ])
    expect(answers.map(({ standing }) => standing)).to.deep.equal(Array(5).fill('replayed'))
  })

  for (const [what, facts] of Object.entries({
    'a purpose that is not agreed': { purpose: 'advertising' },
    'a column that is not agreed': { uses: [{ table: 'person', columns: ['nationality'] }] },
    'a time after the end of the agreement': { now: 4_000_000_000_000 },
    'a stranger who asks': { requester: { organisation: 'EVIL', name: 'mallory@evil.example' } },
    'a fact that no later question may leave open': { sandboxes: null }
  }))
    it(`finds a permission that rests on ${what}`, async () => {
      expect(await standing(changed(accept(), facts))).to.equal('differs')
    })

  it('finds a denial that rests on facts which permit', async () => {
    expect(await standing({ ...accept(), verdict: 'deny' })).to.equal('differs')
  })

  it('confirms a denial that the rules give', async () => {
    const denied: OpenedDecision = { ...changed(accept(), { purpose: 'advertising' }), verdict: 'deny' }
    expect(await standing(denied)).to.equal('replayed')
  })

  it('finds a permission over a flow that the contract does not have', async () => {
    const send = file.decisions.find(({ question }) => question === 'send')
    if (send === undefined) throw new Error('expected a decision to send')
    const [call] = decodePlain(send.content, withCalls).calls
    const flow = { ...content.parse(call?.facts.flow), flow: 99 }
    expect(await standing(changed(send, { flow }))).to.equal('differs')
  })

  it('finds a permission that rests on a denial beside the rules', async () => {
    expect(await standing(changed(accept(), {}, { besides: 'no-agreement' }))).to.equal('differs')
  })

  it('leaves a denial beside the rules attested', async () => {
    const denied: OpenedDecision = { ...changed(accept(), {}, { besides: 'overloaded' }), verdict: 'deny' }
    expect(await standing(denied)).to.match(/^attested: it rests on overloaded/)
  })

  it('never calls a permission replayed for which the rules were asked nothing', async () => {
    expect(await standing(changed(accept(), {}, { calls: [] }))).to.match(/^attested: .*nothing/)
  })

  it('never takes the answer to another question, of another organisation or about another contract', async () => {
    expect(await standing(changed(accept(), { question: 'start' }))).to.match(/^attested: .*"start"/)
    expect(await standing(changed(accept(), { organisation: 'RUG' }))).to.match(/^attested: .*"RUG"/)
    const send = file.decisions.find(({ question }) => question === 'send')
    if (send === undefined) throw new Error('expected a decision to send')
    expect(await standing({ ...send, contract: `bafy${'a'.repeat(55)}` })).to.match(/^attested: .*contract/)
  })

  it('says which agreement, contract or rules the file does not hold', async () => {
    expect(await standing(accept(), { agreements: new Map() })).to.match(/^attested: the agreement bafy/)
    expect(await standing(accept(), { policies: new Map() })).to.match(/^attested: the rules/)
    const send = file.decisions.find(({ question }) => question === 'send')
    if (send === undefined) throw new Error('expected a decision to send')
    expect(await standing(send, { contracts: new Map() })).to.match(/^attested: the contract bafy/)
  })

  it('leaves attested what another engine, or fixed rules of another version, decided', async () => {
    const [[id, rules] = ['', { engine: '', files: [] }]] = file.policies
    const other = new Map([[id, { ...rules, engine: 'cedar 9.9.9' }]])
    expect(await standing(changed(accept(), {}, { engine: 'cedar 9.9.9' }), { policies: other })).to.match(
      /^attested: it was decided by cedar 9.9.9/
    )
    expect(await standing(changed(accept(), {}, { policy: '0'.repeat(64) }))).to.match(/^attested: .*version/)
  })

  it('leaves attested what rests on rules that cannot be read', async () => {
    const [[id, rules] = ['', { engine: '', files: [] }]] = file.policies
    const broken = new Map([[id, { ...rules, files: [{ file: 'a.cedar', text: 'forbid (' }] }]])
    expect(await standing(accept(), { policies: broken })).to.match(/^attested: its rules cannot be read/)
  })

  it('evaluates an own rule that forbids', async () => {
    const [[id, rules] = ['', { engine: '', files: [] }]] = file.policies
    const files = [{ file: 'never.cedar', text: 'forbid (principal, action, resource);' }]
    const policies = new Map([[id, { ...rules, files }]])
    // The id of everything that decides covers own rules too: an opening that leaves them out names another.
    expect(await standing(accept(), { policies })).to.match(/^attested: .*version/)
    const { policy } = await createCedarEngine(files)
    expect(await standing(changed(accept(), {}, { policy }), { policies })).to.equal('differs')
  })

  it('takes nothing of a form that it does not know', async () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(1000).fill(0x81),
      encodePlain({}),
      changed(accept(), { now: -1 }).content,
      changed(accept(), { now: 1e15 }).content,
      changed(accept(), { recipients: Array(5000).fill('UVA') }).content,
      changed(accept(), { question: 'discover all' }).content
    ])
      expect(await standing({ ...accept(), content: bytes })).to.match(/^attested: .*known form/)
  })
})
