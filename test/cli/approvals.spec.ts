import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FastifyInstance } from 'fastify'
import type { Operations } from '../../agent/api/index.ts'
import { NotAnApprover } from '../../agent/approvals/index.ts'
import { anApproval, aRequest, fakeApi, TOKEN } from '../api/fake-operations.ts'
import { runs } from './fake-terminal.ts'

describe('dynamos approvals', () => {
  let folder = ''
  const open: FastifyInstance[] = []
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-cli-'))
    await writeFile(join(folder, 'token'), `${TOKEN}\n`)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()))
  })
  after(() => rm(folder, { recursive: true }))

  async function agent(changes: Partial<Operations> = {}): Promise<string[]> {
    const api = fakeApi(changes)
    open.push(api)
    return ['--agent', await api.listen({ host: '127.0.0.1', port: 0 }), '--token', join(folder, 'token')]
  }

  it('lists who asks what, under which agreement and until when', async () => {
    const { code, out } = await runs(['approvals', 'list', ...(await agent())])
    expect(code).to.equal(0)
    for (const shown of [
      'analyst@uva.nl of UVA',
      'wage-gap-2026',
      'research',
      'SELECT Salschal',
      '2026-01-04'
    ])
      expect(out).to.include(shown)
  })

  it('says so when nothing waits', async () => {
    const { code, out } = await runs(['approvals', 'list', ...(await agent({ approvals: async () => [] }))])
    expect([code, out]).to.deep.equal([0, 'Nothing waits for you.\n'])
  })

  it('prints one JSON document', async () => {
    const { out } = await runs(['approvals', 'list', '--json', ...(await agent())])
    expect(JSON.parse(out)).to.deep.equal([anApproval()])
  })

  it('lets no query move the cursor or look like a line of its own', async () => {
    const query = 'SELECT 1 -- \u001b[2J\u001b[31m\r\nbafyother\n\u202eevil'
    const { out } = await runs([
      'approvals',
      'list',
      ...(await agent({ approvals: async () => [anApproval({ query, purpose: 'a\nb' })] }))
    ])
    for (const sign of ['\u001b[2J', '\u202e', '\r']) expect(out).not.to.include(sign)
    expect(out).to.include('\n    bafyother\n').and.to.include('a⏎b')
  })

  it('approves, and refuses with a reason', async () => {
    const approved = await runs(['approvals', 'approve', 'bafyone', ...(await agent())])
    expect([approved.code, approved.out]).to.deep.equal([
      0,
      'approved: the request of analyst@uva.nl of UVA  bafyone\n'
    ])
    const refused = await runs([
      'approvals',
      'refuse',
      'bafyone',
      '--reason',
      'no',
      '--json',
      ...(await agent())
    ])
    expect(refused.code).to.equal(0)
    expect(JSON.parse(refused.out)).to.include({ state: 'refused', reason: 'no' })
  })

  it('exits 2 without a reason, and 4 when another may decide', async () => {
    expect((await runs(['approvals', 'refuse', 'bafyone', ...(await agent())])).code).to.equal(2)
    const approve: Operations['approve'] = async () => {
      throw new NotAnApprover('analyst@uva.nl', ['steward@vu.nl'])
    }
    const denied = await runs(['approvals', 'approve', 'bafyone', ...(await agent({ approve }))])
    expect(denied.code).to.equal(4)
    expect(denied.err).to.include('steward@vu.nl')
  })

  it('are named by a request that waits for one, which exits 0', async () => {
    const waiting = [{ hop: 'VU', by: ['steward@vu.nl'], until: '2026-01-04T00:00:00.000Z' }]
    const request: Operations['request'] = async () => aRequest({ status: 'waiting', waiting })
    const { code, out } = await runs(['request', 'status', 'bafyrequest', ...(await agent({ request }))])
    expect(code).to.equal(0)
    expect(out).to.include('Waits for the approval of steward@vu.nl at VU, until 2026-01-04')
  })
})
