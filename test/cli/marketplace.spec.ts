import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { peerOfKeyFile } from '../../agent/identity/index.ts'
import { openPackage } from '../../agent/membership/index.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

describe('dynamos marketplace', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-marketplace-'))
  })
  afterEach(() => rm(cwd, { recursive: true }))

  const dynamos = async (line: string, env: Record<string, string> = {}) =>
    await runs(line.split(' '), { cwd, env })
  const json = async (line: string) => {
    const { code, out, err } = await dynamos(`${line} --json`)
    expect(code, err).to.equal(0)
    return JSON.parse(out)
  }
  const contentsOf = async (file: string) => await openPackage(await readFile(join(cwd, file), 'utf8'))

  /** A member with its agent.yaml in a folder of its name. */
  async function member(name: string, dir = 'm'): Promise<{ agent: string; steward: string }> {
    await json(`init --organisation ${name} --dir ${name}`)
    await json(`marketplace join ${dir}/charter.json --config ${name}/agent.yaml --out ${name}/join.json`)
    await json(`marketplace admit ${name}/join.json --dir ${dir}`)
    await json(`marketplace install ${dir}/${name}.membership.json --config ${name}/agent.yaml`)
    const { agents, stewards } = (await contentsOf(`${name}/membership.json`)).membership.payload
    return { agent: agents[0] ?? '', steward: stewards[0] ?? '' }
  }

  describe('expel', () => {
    it('takes an organisation, a reason, and since when its keys were stolen', async () => {
      await json('marketplace create Uni --dir m')
      const { agent, steward } = await member('VU')
      const line = 'marketplace expel VU --dir m --stolen-from 2026-01-01T00:00Z --reason laptop'
      expect((await json(line)).expelled).to.have.members([agent, steward])
      const { status } = JSON.parse(await readFile(join(cwd, 'm', 'status.json'), 'utf8'))
      for (const one of status.payload.expelled)
        expect(one).to.include({ reason: 'laptop', stolenFrom: Date.UTC(2026, 0, 1) })
      expect((await json('marketplace renew --dir m')).renewed).to.deep.equal([])
      const { code, err } = await dynamos('marketplace renew VU --dir m')
      expect([code, err]).to.deep.include(3)
    })

    it('takes no instant that is still to come', async () => {
      await json('marketplace create Uni --dir m')
      await member('VU')
      for (const option of ['--since', '--stolen-from'])
        expect((await dynamos(`marketplace expel VU --dir m ${option} 2199-01-01T00:00Z`)).code).to.equal(2)
    })
  })

  it('renews only what ends soon, when asked so', async () => {
    await json('marketplace create Uni --dir m --membership-days 30')
    await member('VU')
    expect((await json('marketplace renew --ending-within 14 --dir m')).renewed).to.deep.equal([])
    const { renewed } = await json('marketplace renew --ending-within 31 --dir m')
    expect(renewed).to.have.length(1)
  })

  describe('with several authorities', () => {
    const peers = async () =>
      await Promise.all(['m2', 'm3'].map(async (dir) => await json(`marketplace key --dir ${dir}`)))

    async function founded() {
      const others = (await peers()).map(({ authority }) => `--authority ${authority}`).join(' ')
      const { pending } = await json(`marketplace create Uni --dir m --threshold 2 ${others}`)
      expect(pending).to.include({ missing: 1 })
      expect(await readdir(join(cwd, 'm'))).not.to.include('charter.json')
      return pending.file
    }

    it('is founded, admits and expels once enough of them signed', async () => {
      await founded()
      expect((await json('marketplace sign m/proposal.json --dir m2')).complete).to.equal(true)
      expect((await json('marketplace sign m/proposal.json --dir m')).complete).to.equal(true)
      await json('init --organisation VU --dir VU')
      await json('marketplace join m/charter.json --config VU/agent.yaml --out VU/join.json')
      const admitted = await json('marketplace admit VU/join.json --dir m')
      expect(admitted.pending.missing).to.equal(1)
      expect(await readdir(join(cwd, 'm'))).not.to.include('VU.membership.json')
      const shown = await json('marketplace sign m/proposal.json --dir m3 --show')
      expect(shown.changes.join()).to.include('founds Uni').and.to.include('VU is a member until')
      await json('marketplace sign m/proposal.json --dir m3')
      expect((await contentsOf('m3/VU.membership.json')).membership.signers).to.have.length(2)
      await json('marketplace expel VU --dir m3')
      const list = await json('marketplace sign m3/proposal.json --dir m2')
      expect(list.changes.join()).to.include('status list 2').and.to.include('expels')
      expect(list.complete).to.equal(true)
    })

    it('signs no second list of one number', async () => {
      await founded()
      for (const dir of ['m2', 'm', 'm3']) await json(`marketplace sign m/proposal.json --dir ${dir}`)
      await rm(join(cwd, 'm', 'proposal.json'), { force: true })
      await json('marketplace renew --dir m')
      await json('marketplace renew --dir m2')
      const { code, err } = await dynamos('marketplace sign m/proposal.json --dir m2')
      expect(code).to.equal(2)
      expect(err).to.include('no second status list 2')
    })
  })

  describe('publish', () => {
    const agents = fakeAgents()

    it('hands the list to the running agent, whatever charter is here', async () => {
      await json('marketplace create Uni --dir m')
      const given: unknown[] = []
      const options = await agents.listen({
        takeDocuments: async (documents) => {
          given.push(Object.keys(documents))
          return { status: { number: 1, taken: true }, membership: null }
        }
      })
      const told = await json(`marketplace publish m/status.json ${options.join(' ')}`)
      expect(told).to.deep.equal({ published: 1, inForce: 1, taken: true })
      expect(given).to.deep.equal([['status']])
      expect((await dynamos(`marketplace publish m/charter.json ${options.join(' ')}`)).code).to.equal(2)
    })
  })

  describe('a new key', () => {
    it('takes the place of the one before once a membership lists it', async () => {
      await json('marketplace create Uni --dir m')
      const before = await member('VU')
      const asked = await json(
        'marketplace join m/charter.json --config VU/agent.yaml --out VU/join.json --new-key agent,steward'
      )
      expect(asked.replaces).to.have.members([before.agent, before.steward])
      expect((await peerOfKeyFile(join(cwd, 'VU/identity/agent.key'))).peer).to.equal(before.agent)
      const admitted = await dynamos('marketplace admit VU/join.json --dir m')
      expect([admitted.code, admitted.err]).to.deep.equal([0, ''])
      const { newKeys, agent } = await json('marketplace install m/VU.membership.json --config VU/agent.yaml')
      expect(agent).to.equal('restart')
      const { payload } = (await contentsOf('VU/membership.json')).membership
      expect(payload.agents).to.deep.equal([newKeys.agent])
      expect(payload.stewards).to.deep.equal([newKeys.steward])
      for (const kind of ['agent', 'steward'])
        expect((await peerOfKeyFile(join(cwd, `VU/identity/${kind}.key`))).peer).to.equal(newKeys[kind])
      expect(
        (await readdir(join(cwd, 'VU', 'identity'))).filter((name) => name.includes('.before-'))
      ).to.have.length(2)
    })

    it('that no key of the organisation signed for is warned of', async () => {
      await json('marketplace create Uni --dir m')
      await member('VU')
      await json('init --organisation VU --dir thief')
      await json('marketplace join m/charter.json --config thief/agent.yaml --out thief/join.json')
      const { err } = await dynamos('marketplace admit thief/join.json --dir m')
      expect(err).to.include('none of its keys signed this request')
    })

    it('is not taken from a request whose second signature is another’s', async () => {
      await json('marketplace create Uni --dir m')
      await member('VU')
      await json('marketplace join m/charter.json --config VU/agent.yaml --out VU/join.json --new-key agent')
      const file = join(cwd, 'VU', 'join.json')
      const request = JSON.parse(await readFile(file, 'utf8'))
      await writeFile(
        file,
        JSON.stringify({ ...request, endorsed: { ...request.endorsed, proof: request.proof } })
      )
      expect((await dynamos('marketplace admit VU/join.json --dir m')).code).to.equal(2)
    })
  })
})
