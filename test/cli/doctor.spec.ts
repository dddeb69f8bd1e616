import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { MarketplaceView } from '../../agent/api/index.ts'
import { aMarketplace } from '../api/fake-operations.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

const DAY = 86_400_000
const inDays = (days: number): string => new Date(Date.now() + days * DAY).toISOString()

interface Finding {
  check: string
  level: string
  code: string | null
  message: string
  mend: string | null
}

describe('dynamos doctor', () => {
  const agents = fakeAgents()
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-doctor-'))
  })
  afterEach(() => rm(cwd, { recursive: true }))

  async function findings(
    changes: Partial<MarketplaceView> = {}
  ): Promise<{ code: number; found: Finding[] }> {
    const options = await agents.listen({ marketplace: async () => aMarketplace(changes) })
    const { code, out } = await runs(['doctor', '--json', ...options], { cwd })
    return { code, found: JSON.parse(out).findings }
  }
  const wrongIn = (found: readonly Finding[]) => found.filter(({ level }) => level !== 'ok')

  it('has nothing to mend at an agent that is well', async () => {
    const met = [{ peer: '12D3VU', organisation: 'VU', clockAheadMs: 20, refusedUs: null }]
    const { code, found } = await findings({ encounters: met })
    expect([code, wrongIn(found)]).to.deep.equal([0, []])
    const { out } = await runs(['doctor', ...(await agents.listen())], { cwd })
    expect(out).to.include('✓ membership: UVA is a member of Universities until')
  })

  it('says what the machine lacks that would hold jobs', async () => {
    const health = async (sandbox: string, isolation: string[]) => {
      const view = {
        status: 'ok' as const,
        organisation: 'UVA',
        peerId: '12D3UVA',
        version: '0',
        problems: []
      }
      const options = await agents.listen({ health: async () => ({ ...view, sandbox, isolation }) })
      const { code, out } = await runs(['doctor', '--json', ...options], { cwd })
      const found: Finding[] = JSON.parse(out).findings
      return [code, ...found.filter(({ check }) => check === 'sandbox').map(({ message }) => message)]
    }
    expect(await health('bubblewrap', ['seccomp', 'memory', 'processes', 'cpu'])).to.deep.equal([
      0,
      'bubblewrap, with seccomp, memory, processes, cpu'
    ])
    const [code, ...lacks] = await health('bubblewrap', ['seccomp'])
    expect([code, lacks.length]).to.deep.equal([0, 3])
    expect(await health('none', [])).to.deep.equal([0, 'jobs run without a sandbox, and every offer says so'])
  })

  const { status, membership } = aMarketplace()
  const cases: {
    of: string
    view: Partial<MarketplaceView>
    code: string | null
    level: string
    mend: string
  }[] = [
    {
      of: 'a status list that is too old',
      view: { status: { ...status, holdsUntil: inDays(-1), tooOld: true } },
      code: 'status-list-too-old',
      level: 'error',
      mend: 'dynamos marketplace publish status.json'
    },
    {
      of: 'a status list that will be too old soon',
      view: { status: { ...status, holdsUntil: inDays(1) } },
      code: 'status-list-too-old',
      level: 'warning',
      mend: 'dynamos marketplace publish status.json'
    },
    {
      of: 'two lists of one number',
      view: { status: { ...status, conflicts: [{ number: 3, lists: ['bafyone', 'bafytwo'] }] } },
      code: null,
      level: 'warning',
      mend: 'renew --status-only'
    },
    {
      of: 'a membership that has ended',
      view: { membership: { ...membership, standing: 'membership-expired', expires: inDays(-1) } },
      code: 'membership-expired',
      level: 'error',
      mend: 'dynamos marketplace renew UVA'
    },
    {
      of: 'a membership that ends soon',
      view: { membership: { ...membership, expires: inDays(3.5) } },
      code: 'membership-expired',
      level: 'warning',
      mend: 'dynamos marketplace renew UVA'
    },
    {
      of: 'an expelled key',
      view: { membership: { ...membership, standing: 'expelled' } },
      code: 'expelled',
      level: 'error',
      mend: '--new-key agent'
    },
    {
      of: 'a key that the membership does not list any more',
      view: { membership: { ...membership, standing: 'not-member' } },
      code: 'not-member',
      level: 'error',
      mend: '--new-key agent'
    },
    {
      of: 'a clock that is behind',
      view: { encounters: [{ peer: 'p', organisation: 'VU', clockAheadMs: 200_000, refusedUs: null }] },
      code: 'clock-skew',
      level: 'error',
      mend: 'set the clock'
    },
    {
      of: 'a clock that others find ahead',
      view: { encounters: [{ peer: 'p', organisation: 'VU', clockAheadMs: null, refusedUs: 'clock-skew' }] },
      code: 'clock-skew',
      level: 'error',
      mend: 'set the clock'
    },
    {
      of: 'a clock that is nearly wrong',
      view: { encounters: [{ peer: 'p', organisation: 'VU', clockAheadMs: -60_000, refusedUs: null }] },
      code: null,
      level: 'warning',
      mend: 'set the clock'
    },
    {
      of: 'an agent that refuses this one',
      view: { encounters: [{ peer: 'p', organisation: 'VU', clockAheadMs: null, refusedUs: 'expelled' }] },
      code: 'expelled',
      level: 'warning',
      mend: 'dynamos explain expelled'
    }
  ]
  for (const { of: what, view, code, level, mend } of cases)
    it(`says how to mend ${what}`, async () => {
      const { code: exit, found } = await findings(view)
      const one = wrongIn(found).find((finding) => finding.code === code && finding.mend?.includes(mend))
      expect(one, JSON.stringify(found)).to.include({ level })
      expect(exit).to.equal(level === 'error' ? 4 : 0)
    })

  it('looks at one agent that lies by the one in the middle', async () => {
    const encounters = [100, -150, 9_999_999].map((clockAheadMs, index) => ({
      peer: `p${index}`,
      organisation: null,
      clockAheadMs,
      refusedUs: null
    }))
    expect(wrongIn((await findings({ encounters })).found)).to.deep.equal([])
  })

  it('needs no agent that runs: the files say what is missing', async () => {
    const dynamos = async (line: string) => await runs(line.split(' '), { cwd })
    const codesOf = async () => {
      const { code, out } = await dynamos('doctor --json')
      expect(code).to.equal(4)
      const found: Finding[] = JSON.parse(out).findings
      return wrongIn(found).map((finding) => `${finding.check}: ${finding.code}`)
    }
    expect(await codesOf()).to.deep.equal(['configuration: config-invalid', 'agent: usage'])
    await dynamos('init --organisation VU --user a@vu.nl')
    expect(await codesOf()).to.include('membership: not-member')
    await dynamos('marketplace create Uni --dir m --status-days 1')
    await dynamos('marketplace join m/charter.json --speaks-for other.nl')
    await dynamos('marketplace admit join-request.json --dir m')
    await dynamos('marketplace install m/VU.membership.json')
    expect(await codesOf()).to.deep.equal([
      'agent: usage',
      'membership: consumer-not-permitted',
      'status list: status-list-too-old'
    ])
    await rm(join(cwd, 'identity', 'agent.key'))
    expect(await codesOf()).to.include('keys: key-file-missing')
  })
})
