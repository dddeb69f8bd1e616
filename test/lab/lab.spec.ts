import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { stringify } from 'yaml'
import { loadAgentConfig } from '../../agent/config/index.ts'
import { type LabView, labDown, labStatus, labUp } from '../../agent/lab/index.ts'
import { openPackage } from '../../agent/membership/index.ts'
import { toError } from '../../protocol/errors/index.ts'

const FAKE_AGENT = fileURLToPath(new URL('./fake-agent.mjs', import.meta.url))

interface TestAgent {
  name: string
  organisation?: string
  roles?: string[]
  users?: string[]
  listen?: string[]
}

describe('a lab', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dynamos-lab-'))
  })
  afterEach(async () => {
    await labDown(dir, { purge: false, timeout: 200 })
    await rm(dir, { recursive: true, force: true })
  })

  async function up(
    agents: TestAgent[],
    options: { agreements?: unknown[]; driver?: string; patience?: number; signal?: AbortSignal } = {}
  ): Promise<LabView> {
    const topology = join(dir, 'topology.yaml')
    await writeFile(
      topology,
      stringify({ marketplace: { name: 'test' }, agents, agreements: options.agreements ?? [] })
    )
    return await labUp({
      topology,
      dir,
      driver: options.driver ?? 'process',
      command: [process.execPath, FAKE_AGENT],
      say: () => undefined,
      now: Date.now(),
      signal: options.signal ?? new AbortController().signal,
      ...(options.patience === undefined ? {} : { patience: options.patience })
    })
  }

  const failure = async (lab: Promise<unknown>) =>
    await lab.then(
      () => expect.fail('the lab came up'),
      (error: unknown) => toError(error)
    )

  it('runs one process for each agent, with what is needed to reach it', async () => {
    const lab = await up([{ name: 'VU' }, { name: 'UVA', users: ['analyst@uva.nl'] }])
    expect(lab.dir).to.equal(dir)
    expect(Object.keys(lab.agents)).to.deep.equal(['VU', 'UVA'])
    expect(Object.keys(lab.agents.VU ?? {}).sort()).to.deep.equal(['api', 'peerId', 'pid', 'token'])
    expect(lab.agents.VU?.token).to.equal(join(dir, 'VU', 'token'))
    expect((await labStatus(dir)).running).to.deep.equal(['VU', 'UVA'])
  })

  it('makes the first agent everybody’s bootstrap, on free loopback ports', async () => {
    const lab = await up([{ name: 'VU' }, { name: 'UVA', listen: ['/ip4/0.0.0.0/tcp/4001'] }])
    const first = await loadAgentConfig(join(dir, 'VU', 'agent.yaml'))
    const second = await loadAgentConfig(join(dir, 'UVA', 'agent.yaml'))
    expect(first.bootstrap).to.deep.equal([])
    expect(second.bootstrap).to.deep.equal([`${first.listen[0]}/p2p/${lab.agents.VU?.peerId}`])
    expect(second.listen[0]).to.match(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    expect(second.autoApprove).to.equal('all')
  })

  it('admits organisations with all their agents, users and stewards', async () => {
    const lab = await up([
      { name: 'UVA-1', organisation: 'UVA', users: ['analyst@uva.nl'] },
      { name: 'UVA-2', organisation: 'UVA', roles: ['dataProvider'] }
    ])
    const text = await readFile(join(dir, 'UVA-2', 'membership.json'), 'utf8')
    const { membership } = await openPackage(text)
    expect(membership.payload).to.deep.include({
      organisation: 'UVA',
      roles: ['dataProvider'],
      speaksFor: ['analyst@uva.nl'],
      agents: [lab.agents['UVA-1']?.peerId, lab.agents['UVA-2']?.peerId]
    })
    expect(membership.payload.stewards).to.have.length(2)
    expect((await stat(join(dir, 'UVA-2', 'membership.json'))).mode & 0o777).to.equal(0o600)
  })

  it('signs the agreements at their providers', async () => {
    await writeFile(join(dir, 'a.yaml'), 'agreement: from-a-file\nprovider: VU\n')
    await up([{ name: 'VU' }, { name: 'UVA' }], {
      agreements: ['a.yaml', { agreement: 'in-place', provider: 'UVA' }]
    })
    await stat(join(dir, 'VU', 'data', 'from-a-file.yaml'))
    await stat(join(dir, 'UVA', 'data', 'in-place.yaml'))
  })

  it('comes up again as the same marketplace with the same keys', async () => {
    const before = await up([{ name: 'VU' }])
    expect(await labDown(dir, { purge: false })).to.deep.equal({ dir, stopped: ['VU'], killed: [] })
    const after = await up([{ name: 'VU' }])
    expect(after.agents.VU?.peerId).to.equal(before.agents.VU?.peerId)
    expect(after.agents.VU?.pid).not.to.equal(before.agents.VU?.pid)
  })

  it('refuses to come up twice in one folder', async () => {
    await up([{ name: 'VU' }])
    const error = await failure(up([{ name: 'VU' }]))
    expect(error).to.have.property('code', 'lab-runs')
    expect((await labStatus(dir)).running).to.deep.equal(['VU'])
  })

  it('says which agent failed, shows its log, and stops the others', async () => {
    const error = await failure(up([{ name: 'VU' }, { name: 'UVA', users: ['crashes@uva.nl'] }]))
    expect(error).to.have.property('code', 'lab-failed')
    expect(error.message).to.include('agent UVA ended before it was ready')
    expect(error.message).to.include('cannot open the store: disk full')
    expect(await labStatus(dir)).to.deep.equal({ dir, agents: {}, running: [] })
  })

  it('says who does not see whom', async () => {
    const error = await failure(
      up([{ name: 'VU', users: ['blind@vu.nl'] }, { name: 'UVA' }], { patience: 3000 })
    )
    expect(error.message).to.include('agent VU does not see UVA')
    expect((await labStatus(dir)).running).to.deep.equal([])
  })

  it('says which agreement did not come into force, and whose signature is missing', async () => {
    const error = await failure(
      up([{ name: 'VU', users: ['unsigned@vu.nl'] }], { agreements: [{ agreement: 'a', provider: 'VU' }] })
    )
    expect(error.message).to.match(
      /topology\.yaml:\d+: the agreement did not come into force: it is proposed/
    )
    expect(error.message).to.include('UVA has still to sign')
  })

  it('starts nothing when an agreement is about somebody else’s data', async () => {
    const error = await failure(up([{ name: 'VU' }], { agreements: [{ agreement: 'a', provider: 'RUG' }] }))
    expect(error).to.have.property('code', 'config-invalid')
    expect(error.message).to.include('expected an organisation of the topology (VU), found RUG')
  })

  it('starts nothing when the settings of an agent have a typo', async () => {
    const error = await failure(up([{ name: 'VU', ...{ rolles: ['dataProvider'] } }]))
    expect(error).to.have.property('code', 'config-invalid')
    expect(error.message).to.include('rolles')
  })

  it('stops what had started when it is interrupted', async () => {
    const stop = new AbortController()
    const lab = failure(
      up([{ name: 'VU', users: ['blind@vu.nl'] }, { name: 'UVA' }], { signal: stop.signal, patience: 20_000 })
    )
    stop.abort(new Error('interrupted'))
    expect((await lab).message).to.equal('interrupted')
    expect((await labStatus(dir)).running).to.deep.equal([])
  })

  it('kills an agent that does not end by itself', async () => {
    await up([{ name: 'VU', users: ['stubborn@vu.nl'] }])
    expect(await labDown(dir, { purge: false, timeout: 200 })).to.deep.equal({
      dir,
      stopped: ['VU'],
      killed: ['VU']
    })
  })

  it('removes its folder only when told to, and only its own', async () => {
    await up([{ name: 'VU' }])
    await labDown(dir, { purge: false })
    await stat(join(dir, 'VU', 'identity', 'agent.key'))
    await labDown(dir, { purge: true })
    expect(await failure(stat(dir))).to.have.property('code', 'ENOENT')
    const other = await mkdtemp(join(tmpdir(), 'dynamos-other-'))
    expect(await failure(labDown(other, { purge: true }))).to.have.property('code', 'lab-failed')
    await rm(other, { recursive: true })
  })

  it('does not know the driver netns yet', async () => {
    expect(await failure(up([{ name: 'VU' }], { driver: 'netns' }))).to.have.property(
      'code',
      'driver-not-yet'
    )
  })
})
