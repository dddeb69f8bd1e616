import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { stringify } from 'yaml'
import { healthView, lintView, policyExplained, policySimulated, policyView } from '../../agent/api/index.ts'
import { readLog } from '../../agent/audit/index.ts'
import { ROOT } from '../architecture/sources.ts'
import { rejectionOf } from '../store/folder.ts'
import { Market } from './harness.ts'
import { provider, SURF, UVA, wageAgreement, wageRequest, wages } from './wages.ts'

const VU = wages(1, 60)
const RULE =
  '@id("teaching") @message("not for teaching") forbid (principal, action, resource) when { context.purpose == "teaching" };'

async function firstUrl({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('expected a pipe')
  for await (const line of createInterface({ input: stdout })) {
    const [url] = /http:\S+/.exec(line) ?? []
    if (url !== undefined) return url
  }
  throw new Error('the decision point did not start')
}

describe('The policy of a provider', function () {
  this.timeout(120_000)
  let market: Market
  let point: ChildProcess
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-point-'))
    await related({})
    const server = join(ROOT, 'docs', 'examples', 'decision-point', 'server.mjs')
    point = spawn(process.execPath, [server, '0', relations()], { stdio: ['ignore', 'pipe', 'inherit'] })
    const url = await firstUrl(point)
    market = await Market.open([
      SURF,
      UVA,
      { ...provider('VU', VU), more: { decisionPoint: { url } }, rules: RULE }
    ])
    await vu().sign(wageAgreement('VU', { purposes: ['research', 'teaching'] }))
  })
  after(async () => {
    await market?.closeClean()
    point?.kill()
    await rm(folder, { recursive: true, force: true })
  })

  const relations = () => join(folder, 'relations.json')
  const uva = () => market.agent('UVA')
  const vu = () => market.agent('VU')
  const related = async (changes: object) => {
    const relation = {
      requestTypes: ['sqlDataRequest'],
      datasets: ['wages'],
      archetypes: ['computeToData', 'dataThroughTtp'],
      computeProviders: ['SURF'],
      ...changes
    }
    await writeFile(
      relations(),
      JSON.stringify({ stewards: { VU: { relations: { 'analyst@uva.nl': relation } } } })
    )
  }
  const ask = async (changes: Record<string, unknown> = {}) =>
    await uva().ask(wageRequest({ providers: ['VU'], ...changes }))
  const refusal = async (changes: Record<string, unknown> = {}) => {
    const view = await ask(changes)
    expect(view.status, JSON.stringify(view)).to.equal('refused')
    return view.refusals?.find((one) => one.hop === 'VU')
  }
  const policy = async () => await vu().client.get('/api/v1/policy', policyView)
  const reload = async () => await vu().client.post('/api/v1/policy/reload', { json: {} }, policyView)
  const file = () => join(vu().config.policy, 'own.cedar')

  it('permits what its rules and its decision point permit, and names both', async () => {
    const view = await ask()
    expect(view.status, JSON.stringify(view)).to.equal('completed')
    const clauses = view.decisions.filter((one) => one.hop === 'VU').flatMap((one) => one.clauses)
    expect(clauses).to.include('decision-point')
  })

  it('forbids what the example of a decision point forbids, in its words', async () => {
    await related({ datasets: ['other'] })
    expect(await refusal()).to.deep.include({
      code: 'policy-forbids',
      reason:
        'the decision point of VU forbids it: no relation with the steward allows this requester, dataset and kind of request'
    })
    await related({ archetypes: ['dataThroughTtp'] })
    const view = await ask()
    expect(view.archetype).to.equal('dataThroughTtp')
    await related({})
  })

  it('says no while the decision point gives no answer', async () => {
    await writeFile(relations(), 'nothing that can be read')
    const found = await refusal()
    expect(found).to.deep.include({ code: 'decision-point-unavailable' })
    expect(JSON.stringify(found)).not.to.match(/400|JSON|127\.0\.0\.1/)
    await related({})
  })

  it('is read again when a file of its folder changes', async () => {
    expect(await refusal({ purpose: 'teaching' })).to.deep.include({
      code: 'policy-forbids',
      reason: 'a rule of VU forbids it: not for teaching'
    })
    const before = await policy()
    await writeFile(file(), '')
    expect((await reload()).policy).not.to.equal(before.policy)
    expect((await ask({ purpose: 'teaching' })).status).to.equal('completed')
    await writeFile(file(), RULE)
    expect((await reload()).policy).to.equal(before.policy)
  })

  it('keeps the last good rules in force when a file is broken, and says so wherever it is asked', async () => {
    await writeFile(file(), RULE.replace('purpose', 'purposes'))
    const broken = await reload()
    expect(broken.broken?.findings[0]).to.include({ file: 'own.cedar', line: 1 })
    expect(await refusal({ purpose: 'teaching' })).to.include({ code: 'policy-forbids' })
    const health = await vu().client.get('/health', healthView)
    expect(health.status).to.equal('degraded')
    expect(health.problems.join('\n')).to.match(/policy.*last good rules/)
    expect(health.problems.join('\n')).not.to.match(/own\.cedar|purposes/)
    const lint = await vu().client.post('/api/v1/policy/lint', { json: {} }, lintView)
    expect(lint.findings[0]).to.include({ level: 'error', kind: 'malformed', line: 1, column: 90 })
    const view = await ask()
    expect(view.notes.join('\n')).to.include('VU decided by its last good rules')
    await writeFile(file(), RULE)
    expect((await reload()).broken).to.equal(null)
    expect((await vu().client.get('/health', healthView)).status).to.equal('ok')
  })

  it('is tried on past requests before it is in force', async () => {
    const night =
      '@id("none") forbid (principal, action, resource) when { context.archetype == "computeToData" };'
    const simulate = async (draft: object) =>
      await vu().client.post('/api/v1/policy/simulate', { json: draft }, policySimulated)
    const same = await simulate({ files: [{ file: 'own.cedar', text: RULE }] })
    expect(same.changes).to.deep.equal([])
    expect(same.requests).to.be.greaterThan(5)
    expect(same.skipped).to.deep.equal([])
    const changed = await simulate({ files: [{ file: 'own.cedar', text: `${RULE}\n${night}` }] })
    expect(changed.changes.length).to.be.greaterThan(0)
    for (const one of changed.changes.filter(({ purpose }) => purpose === 'research'))
      expect(one).to.deep.include({
        archetype: 'computeToData',
        purpose: 'research',
        user: 'analyst@uva.nl of UVA',
        old: { verdict: 'permit', code: null, clause: null },
        new: { verdict: 'deny', code: 'policy-forbids', clause: 'policy#none' }
      })
    expect(
      (await simulate({ files: [{ file: 'a.cedar', text: night }], since: '2090-01-01T00:00:00Z' })).rows
    ).to.equal(0)
    const narrower = wageAgreement('VU', {
      purposes: ['research', 'teaching'],
      archetypes: ['computeToData']
    })
    const agreed = await simulate({ agreement: { text: stringify(narrower) } })
    expect(new Set(agreed.changes.map((one) => `${one.archetype} ${one.new.clause}`))).to.deep.equal(
      new Set(['dataThroughTtp wages-vu#archetypes'])
    )
    const later = await simulate({
      agreement: {
        text: stringify({ ...wageAgreement('VU'), valid: { from: '2090-01-01', until: '2091-01-01' } })
      }
    })
    expect(new Set(later.changes.map((one) => `${one.old.verdict} ${one.new.clause}`))).to.include(
      'permit wages-vu#valid.from'
    )
    for (const what of ['quotas', 'approvals', 'decision point', 'revocations'])
      expect(later.notes.filter((note) => note.startsWith('not replayed')).join()).to.include(what)
    const lifted = await simulate({ files: [] })
    expect(
      new Set(lifted.changes.map((one) => `${one.purpose} ${one.old.clause} ${one.new.verdict}`))
    ).to.deep.equal(new Set(['teaching policy#teaching permit']))
    const error = await rejectionOf(simulate({ files: [{ file: 'a.cedar', text: 'forbid' }] }))
    expect(error).to.have.property('code', 'policy-malformed')
  })

  it('is explained, and looked at, for the names that are known here', async () => {
    const request = stringify(wageRequest({ purpose: 'teaching' }))
    const { explanations } = await vu().client.post(
      '/api/v1/policy/explain',
      { json: { request } },
      policyExplained
    )
    expect(explanations.map((one) => [one.archetype, one.infrastructure, one.code])).to.deep.equal([
      ['computeToData', null, 'policy-forbids'],
      ['dataThroughTtp', 'SURF', 'policy-forbids']
    ])
    const forbids = explanations[0]?.rules.filter((one) => one.says === 'forbids')
    expect(forbids).to.deep.equal([
      { of: 'folder', rule: 'teaching', says: 'forbids', words: 'forbids it: not for teaching (own.cedar:1)' }
    ])
    const lint = await vu().client.post(
      '/api/v1/policy/lint',
      {
        json: {
          files: [{ file: 'a.cedar', text: 'forbid (principal in Organisation::"UVX", action, resource);' }]
        }
      },
      lintView
    )
    expect(lint.findings.map((one) => one.message)).to.deep.equal([
      'unknown organisation "UVX"; did you mean "UVA"?'
    ])
  })

  it('is told in the log: which rules were in force when, and what was wrong', async () => {
    await vu().stop()
    const entries = await vu().withStore(async (store) => await readLog(store, { limit: 1000 }))
    await vu().start()
    await market.untilAllSee()
    const told = entries.flatMap(({ entry }) => (entry.kind === 'decision' ? [] : [entry]))
    const fields = told.filter(({ kind }) => kind === 'config').map((entry) => entry.fields)
    expect(fields.map(({ state }) => state)).to.deep.equal(['in-force', 'in-force', 'in-force', 'broken'])
    expect(fields.at(-1)?.place).to.equal('own.cedar:1:90')
  })

  it('keeps an agent from starting while a file is broken, naming the place', async () => {
    await vu().stop()
    const good = await readFile(file(), 'utf8')
    await writeFile(file(), `${good}\nforbid (principal, action, resource) when { context.hours < 6 };`)
    const error = await rejectionOf(vu().start())
    expect(error).to.have.property('code', 'policy-malformed')
    expect(error.message).to.match(/^own\.cedar:2:45: attribute `hours`.*did you mean `hour`\?/)
    await writeFile(file(), good)
    await vu().start()
    await market.untilAllSee()
  })
})
