import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PolicyDraft } from '../../agent/api/index.ts'
import { RulesMalformed } from '../../policy/index.ts'
import { aPolicy, fakeOperations } from '../api/fake-operations.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

const NIGHT =
  '@id("night") @message("not at night") forbid (principal, action, resource) when { context.hour < 6 };\n'
const AGREEMENT = `agreement: a
provider: VU
dataset: wageGap
consumers: [{user: analyst@uva.nl}]
purposes: [research]
archetypes: [computeToData]
tables: "*"
algorithms: [average]
cedar: |
  @id("early") forbid (principal, action, resource) when { context.hour < 3 };
`
const REQUEST = `user: analyst@uva.nl
purpose: research
datasets: [wageGap]
query: SELECT a FROM b
algorithm: average
`

describe('dynamos policy', () => {
  const agents = fakeAgents()
  const at = (name: string) => join(agents.folder, name)
  beforeEach(async () => {
    await mkdir(at('policy'))
    await writeFile(at('policy/night.cedar'), NIGHT)
    await writeFile(at('policy/notes.txt'), 'not a rule')
    await writeFile(at('a.yaml'), AGREEMENT)
    await writeFile(at('ask.yaml'), REQUEST)
  })
  const cli = async (...args: string[]) => await runs(['policy', ...args], { cwd: agents.folder })
  const { policy } = fakeOperations()

  it('prints the schema without an agent', async () => {
    const ran = await cli('schema')
    expect(ran.code).to.equal(0)
    expect(ran.out).to.match(/^\/\/ What rules.*entity Organisation;/s)
    expect(JSON.parse((await cli('schema', '--json')).out)).to.have.property('schema')
  })

  it('shows what is in force, and what is wrong with the folder', async () => {
    const findings = [
      { file: 'own.cedar', line: 2, column: 3, message: 'expected a rule', source: '  forbd' }
    ]
    const broken = { since: '2026-01-02T00:00:00.000Z', findings }
    const to = await agents.listen({
      policy: { ...policy, status: async () => aPolicy({ broken, decisionPoint: 'https://policy.vu.nl/' }) }
    })
    const ran = await cli('show', ...to)
    expect(ran.code).to.equal(0)
    expect(ran.out).to.include('1 rule in force since 2026-01-01T00:00:00.000Z')
    expect(ran.out).to.include('https://policy.vu.nl/')
    expect(ran.out).to.include('the last good rules stay in force')
    expect(ran.out).to.include('own.cedar:2:3: error: expected a rule\n  2 |   forbd\n        ^')
    expect(JSON.parse((await cli('show', '--json', ...to)).out)).to.deep.include({ broken })
  })

  describe('lint', () => {
    it('looks at a folder without an agent, and names what it does not read', async () => {
      await writeFile(at('policy/all.cedar'), 'forbid (principal, action, resource);')
      const ran = await cli('lint', 'policy')
      expect(ran.code).to.equal(0)
      expect(ran.out).to.match(/^all\.cedar:1:1: always-fires: /)
      expect(ran.out).to.match(/night\.cedar:1:1: shadowed: /)
      expect(ran.err).to.include('notes.txt is not read')
    })

    it('ends with 2 when a rule is malformed, in one document', async () => {
      await writeFile(at('policy/night.cedar'), NIGHT.replace('hour', 'hours'))
      const ran = await cli('lint', 'policy/night.cedar', '--json')
      expect(ran.code).to.equal(2)
      expect(JSON.parse(ran.out).findings[0]).to.include({ kind: 'malformed', line: 1, level: 'error' })
    })

    it('looks at the rules of an agreement', async () => {
      expect((await cli('lint', 'a.yaml')).out).to.include('Nothing is wrong')
      await writeFile(at('a.yaml'), AGREEMENT.replace('< 3', '> 23'))
      expect((await cli('lint', 'a.yaml')).out).to.match(/^a\.yaml \(cedar\):1:1: never-fires: /)
    })

    it('asks the agent, which knows names', async () => {
      const asked: PolicyDraft[] = []
      const to = await agents.listen({
        policy: {
          ...policy,
          lint: async (draft) => {
            asked.push(draft)
            return { findings: [] }
          }
        }
      })
      expect((await cli('lint', 'policy', ...to)).code).to.equal(0)
      expect((await cli('lint', ...to)).code).to.equal(0)
      expect(asked).to.deep.equal([{ files: [{ file: 'night.cedar', text: NIGHT }] }, {}])
    })

    it('ends with 2 when there is nothing of that name', async () => {
      expect((await cli('lint', 'nowhere')).code).to.equal(2)
    })
  })

  describe('explain', () => {
    it('tells offline what each rule says, with the facts', async () => {
      const night = await cli(
        'explain',
        'ask.yaml',
        '--agreement',
        'a.yaml',
        '--policy',
        'policy',
        '--at',
        '2026-05-01T02:00:00Z'
      )
      expect(night.code).to.equal(3)
      expect(night.out).to.include('VU, agreement a, computeToData: refused: policy-forbids')
      expect(night.out).to.include('hour: 2; self: VU')
      expect(night.out).to.include('✗ rule of the agreement early: forbids it')
      expect(night.out).to.include('✗ rule of the folder night: forbids it: not at night')
      const day = await cli(
        'explain',
        'ask.yaml',
        '--agreement',
        'a.yaml',
        '--policy',
        'policy',
        '--at',
        '2026-05-01T12:00:00Z'
      )
      expect(day.code).to.equal(0)
      expect(day.out).to.include('permitted so far')
      expect(day.out).to.include('✓ rule of the folder night: does not apply')
    })

    it('names the clause that is broken, and is one document with --json', async () => {
      await writeFile(at('ask.yaml'), REQUEST.replace('research', 'reserch'))
      const ran = await cli('explain', 'ask.yaml', '--agreement', 'a.yaml', '--json')
      expect(ran.code).to.equal(3)
      const [explanation] = JSON.parse(ran.out).explanations
      expect(explanation).to.deep.include({ verdict: 'deny', code: 'purpose-not-permitted' })
      expect(explanation.rules.find((one: { rule: string }) => one.rule === 'purposes')).to.include({
        says: 'forbids',
        words: 'purpose "reserch" is not among those agreed: research; did you mean "research"?'
      })
    })
  })

  describe('simulate', () => {
    it('shows verdicts that would change, old and new', async () => {
      const change = {
        request: 'bafyrequest',
        at: '2026-01-01T00:00:00.000Z',
        user: 'analyst of UVA',
        purpose: 'research',
        dataset: 'wageGap',
        archetype: 'computeToData',
        infrastructure: null,
        old: { verdict: 'permit', code: null, clause: null },
        new: { verdict: 'deny', code: 'policy-forbids', clause: 'policy#night' }
      } as const
      const asked: unknown[] = []
      const to = await agents.listen({
        policy: {
          ...policy,
          simulate: async (draft, since) => {
            asked.push([draft, since])
            return { requests: 3, rows: 6, skipped: [], changes: [change], notes: [] }
          }
        }
      })
      const ran = await cli('simulate', '--policy', 'policy', '--since', '2026-01-01', ...to)
      expect(ran.code).to.equal(0)
      expect(ran.out).to.include('policy-forbids (policy#night)')
      expect(ran.out).to.include('3 requests with 6 rows were decided again; 1 verdicts would be others.')
      expect(asked).to.deep.equal([[{ files: [{ file: 'night.cedar', text: NIGHT }] }, Date.UTC(2026, 0, 1)]])
      expect(
        JSON.parse((await cli('simulate', '--policy', 'policy', '--json', ...to)).out).changes
      ).to.deep.equal([change])
    })

    it('wants to know what would be in force, and from when', async () => {
      const to = await agents.listen()
      expect((await cli('simulate', ...to)).code).to.equal(2)
      expect((await cli('simulate', '--policy', 'policy', '--since', 'soon', ...to)).code).to.equal(2)
    })

    it('ends with 2 when the draft is malformed', async () => {
      const finding = { file: 'a.cedar', line: 1, column: 1, message: 'expected a rule' }
      const to = await agents.listen({
        policy: { ...policy, simulate: () => Promise.reject(new RulesMalformed([finding])) }
      })
      const ran = await cli('simulate', '--policy', 'policy', ...to)
      expect(ran.code).to.equal(2)
      expect(ran.err).to.include('a.cedar:1:1: expected a rule')
    })
  })
})
