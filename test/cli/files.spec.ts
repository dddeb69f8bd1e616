import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { withDataset } from '../../agent/cli/commands/dataset/list-in-config.ts'
import type { Doors } from '../../agent/cli/index.ts'
import { loadAgentConfig, loadDatasetFile } from '../../agent/config/index.ts'
import { openPackage } from '../../agent/membership/index.ts'
import { runs } from './fake-terminal.ts'

describe('files that the command line makes', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-files-'))
  })
  afterEach(() => rm(cwd, { recursive: true }))

  const dynamos = async (line: string, doors: Partial<Doors> = {}, env: Record<string, string> = {}) =>
    await runs(line.split(' '), { cwd, env }, doors)
  const json = async (line: string, doors: Partial<Doors> = {}) => {
    const { code, out, err } = await dynamos(`${line} --json`, doors)
    expect(code, err).to.equal(0)
    return JSON.parse(out)
  }

  describe('init', () => {
    it('makes an identity and a configuration that loads', async () => {
      const made = await json('init --organisation VU --dir vu --role dataProvider --user steward@vu.nl')
      expect(made.peerId).to.match(/^12D3KooW/)
      const config = await loadAgentConfig(join(cwd, 'vu', 'agent.yaml'))
      expect(config).to.deep.include({
        organisation: 'VU',
        roles: ['dataProvider'],
        users: ['steward@vu.nl']
      })
      expect((await stat(config.identity.key)).mode & 0o777).to.equal(0o600)
      expect((await stat(config.identity.steward)).mode & 0o777).to.equal(0o600)
    })

    it('overwrites nothing', async () => {
      await json('init --organisation VU')
      const { code, err } = await dynamos('init --organisation VU')
      expect(code).to.equal(2)
      expect(err).to.include('is there already')
    })

    it('protects the steward’s key by a passphrase', async () => {
      const env = { DYNAMOS_PASSPHRASE: 'correct horse battery' }
      expect((await dynamos('init --organisation VU --protect steward', {}, env)).code).to.equal(0)
      const text = await readFile(join(cwd, 'identity', 'steward.key'), 'utf8')
      expect(text).to.include('scrypt-chacha20-poly1305')
      expect(await readFile(join(cwd, 'identity', 'agent.key'), 'utf8')).not.to.include('scrypt')
    })

    it('takes no passphrase that is too short', async () => {
      const env = { DYNAMOS_PASSPHRASE: 'short' }
      expect((await dynamos('init --organisation VU --protect all', {}, env)).code).to.equal(2)
    })
  })

  describe('marketplace', () => {
    async function member(organisation: string) {
      await json(
        `init --organisation ${organisation} --dir ${organisation} --user analyst@${organisation}.nl`
      )
      await json(
        `marketplace join m/charter.json --config ${organisation}/agent.yaml --out ${organisation}/join.json`
      )
      return `${organisation}/join.json`
    }

    it('founds, admits, and is joined', async () => {
      const founded = await json('marketplace create Universities --dir m --contact board@example.org')
      expect((await stat(join(cwd, 'm', 'marketplace.json'))).mode & 0o777).to.equal(0o600)
      const requests = [await member('VU'), await member('UVA')]
      const { admitted } = await json(`marketplace admit ${requests.join(' ')} --dir m`)
      expect(admitted.map(({ organisation }: { organisation: string }) => organisation)).to.deep.equal([
        'VU',
        'UVA'
      ])
      const installed = await json('marketplace install m/UVA.membership.json --config UVA/agent.yaml')
      expect(installed).to.deep.include({ marketplace: founded.marketplace, organisation: 'UVA' })
      const contents = await openPackage(await readFile(join(cwd, 'UVA', 'membership.json'), 'utf8'))
      expect(contents.membership.payload.speaksFor).to.deep.equal(['analyst@UVA.nl'])
      expect((await stat(join(cwd, 'UVA', 'membership.json'))).mode & 0o777).to.equal(0o600)
    })

    it('is founded once in a folder', async () => {
      await json('marketplace create Universities --dir m')
      expect((await dynamos('marketplace create Others --dir m')).code).to.equal(2)
    })

    it('installs no membership of somebody else', async () => {
      await json('marketplace create Universities --dir m')
      await json(`marketplace admit ${await member('VU')} --dir m`)
      await member('UVA')
      const { code, err } = await dynamos('marketplace install m/VU.membership.json --config UVA/agent.yaml')
      expect(code).to.equal(3)
      expect(err).to.include('expected a membership that lists agent')
    })

    it('admits a bare peer id only with an organisation', async () => {
      await json('marketplace create Universities --dir m')
      const { peerId } = await json('init --organisation VU --dir VU')
      expect((await dynamos(`marketplace admit ${peerId} --dir m`)).code).to.equal(2)
      const { admitted } = await json(
        `marketplace admit ${peerId} --organisation VU --role dataProvider --speaks-for vu.nl --dir m`
      )
      expect(admitted[0].agents).to.deep.equal([peerId])
    })

    it('adds a second agent of an organisation to its membership', async () => {
      await json('marketplace create Universities --dir m')
      const one = await json('init --organisation VU --dir one')
      const two = await json('init --organisation VU --dir two')
      await json(`marketplace admit ${one.peerId} --organisation VU --dir m`)
      const { admitted } = await json(`marketplace admit ${two.peerId} --organisation VU --dir m`)
      expect(admitted[0].agents).to.deep.equal([one.peerId, two.peerId])
      const replaced = await json(`marketplace admit ${two.peerId} --organisation VU --replace --dir m`)
      expect(replaced.admitted[0].agents).to.deep.equal([two.peerId])
    })

    it('refuses a join request that was altered', async () => {
      await json('marketplace create Universities --dir m')
      const file = join(cwd, await member('VU'))
      await writeFile(file, (await readFile(file, 'utf8')).replace('"VU"', '"UVA"'))
      expect((await dynamos('marketplace admit VU/join.json --dir m')).code).to.equal(2)
    })

    it('expels keys and renews what runs out', async () => {
      await json('marketplace create Universities --dir m')
      const { peerId } = await json('init --organisation VU --dir VU')
      await json(`marketplace admit ${peerId} --organisation VU --dir m`)
      await json('marketplace install m/VU.membership.json --config VU/agent.yaml')
      expect(await json('marketplace renew --status-only --dir m')).to.deep.include({
        number: 2,
        renewed: []
      })
      const renewed = await json('marketplace renew VU --dir m')
      expect(renewed.renewed[0].organisation).to.equal('VU')
      const expelled = await json(`marketplace expel ${peerId} --dir m`)
      expect(expelled).to.deep.include({ number: 4, expelled: [peerId] })
      const installed = await json('marketplace install m/status.json --config VU/agent.yaml')
      expect(installed).to.deep.include({ status: 4, newer: true })
      expect((await dynamos('marketplace expel nobody --dir m')).code).to.equal(2)
    })
  })

  describe('dataset add', () => {
    const profileDataset: Doors['profileDataset'] = async (_config, tables) =>
      tables.map(({ name }) => ({
        name,
        rows: 180,
        columns: [
          { name: 'PersonId', type: 'BIGINT', nulls: 0 },
          { name: 'wage', type: 'DOUBLE', nulls: 3 },
          { name: 'a "b": c', type: 'VARCHAR', nulls: 180 }
        ],
        notes: ['3 rows were ragged']
      }))

    beforeEach(async () => {
      await json('init --organisation VU --role dataProvider')
      await writeFile(join(cwd, 'people.csv'), 'PersonId,wage\n1,2\n')
    })

    it('describes a file in YAML that loads, and lists it in agent.yaml with its comments kept', async () => {
      const before = await readFile(join(cwd, 'agent.yaml'), 'utf8')
      const added = await json('dataset add people.csv --id wages --title Wages', { profileDataset })
      const dataset = await loadDatasetFile(added.file)
      expect(dataset).to.deep.include({ id: 'wages', title: 'Wages', visibility: 'members' })
      expect(dataset.tables[0]).to.deep.include({ name: 'people', path: join(cwd, 'people.csv') })
      expect(dataset.tables[0]?.columns.map(({ name }) => name)).to.deep.equal([
        'PersonId',
        'wage',
        'a "b": c'
      ])
      expect((await loadAgentConfig(join(cwd, 'agent.yaml'))).datasets).to.deep.equal([added.file])
      const after = await readFile(join(cwd, 'agent.yaml'), 'utf8')
      expect(after.split('\n').filter((line) => !before.includes(line))).to.deep.equal([
        'datasets: [wages.dataset.yaml]'
      ])
    })

    for (const [written, expected] of [
      ['datasets: []\n', 'datasets: [new.yaml]\n'],
      ['datasets: [a.yaml] # mine\n', 'datasets: [a.yaml, new.yaml] # mine\n'],
      ['datasets:\n  - a.yaml # one\nlog: info\n', 'datasets:\n  - a.yaml # one\n  - new.yaml\nlog: info\n'],
      ['log: info', 'log: info\ndatasets: [new.yaml]\n'],
      ['datasets:\nlog: info\n', 'datasets:\n  - new.yaml\nlog: info\n']
    ] as const)
      it(`adds to ${JSON.stringify(written)}`, () => {
        expect(withDataset(written, 'new.yaml')).to.equal(expected)
      })

    it('warns about columns that look personal, and marks them', async () => {
      const { err } = await dynamos('dataset add people.csv --id wages', { profileDataset })
      expect(err).to.include('people.PersonId looks like a number of a person')
      const text = await readFile(join(cwd, 'wages.dataset.yaml'), 'utf8')
      expect(text).to.include('PersonId: {type: BIGINT, sensitive: true}')
      expect(text).to.include('# 3 rows were ragged')
    })

    it('overwrites a description only by force', async () => {
      await json('dataset add people.csv --id wages', { profileDataset })
      expect((await dynamos('dataset add people.csv --id wages', { profileDataset })).code).to.equal(2)
      await json('dataset add people.csv --id wages --force', { profileDataset })
      expect((await loadAgentConfig(join(cwd, 'agent.yaml'))).datasets).to.have.length(1)
    })

    it('adds nothing when the file could not be read', async () => {
      const broken: Doors['profileDataset'] = () => Promise.reject(new Error('not a CSV file'))
      expect((await dynamos('dataset add people.csv --id wages', { profileDataset: broken })).code).to.equal(
        4
      )
      expect((await loadAgentConfig(join(cwd, 'agent.yaml'))).datasets).to.deep.equal([])
    })
  })

  describe('agreement check without an agent', () => {
    const AGREEMENT = `agreement: a
provider: VU
dataset: wages
consumers: [{user: analyst@uva.nl}]
purposes: [research]
archetypes: [computeToData]
tables: {people: {columns: [wage]}}
algorithms: [average]
`
    it('says in words what is permitted', async () => {
      await writeFile(join(cwd, 'a.yaml'), AGREEMENT)
      const { code, out, err } = await dynamos('agreement check a.yaml')
      expect(code).to.equal(0)
      expect(out).to.include('They may see of people: wage')
      expect(err).to.include('checked without an agent')
    })

    it('exits 2 and names clause and line of what is wrong', async () => {
      await writeFile(join(cwd, 'a.yaml'), `${AGREEMENT}privacy: {epsilon: 1.0, budget: 10.0, per: P30D}\n`)
      const { code, out } = await dynamos('agreement check a.yaml')
      expect(code).to.equal(2)
      expect(out).to.include('a.yaml:9:1: error: privacy: clause-not-enforceable')
    })

    it('compares it with a dataset file and with other agreements, without an agent', async () => {
      await writeFile(join(cwd, 'a.yaml'), AGREEMENT)
      await writeFile(
        join(cwd, 'dataset.yaml'),
        'id: wages\ntables: {people: {path: p.csv, columns: {pay: {type: DOUBLE}}}, jobs: {path: j.csv}}\n'
      )
      const narrow = await dynamos('agreement check a.yaml --dataset dataset.yaml --json')
      expect(narrow.code, narrow.err).to.equal(0)
      expect(JSON.parse(narrow.out).findings).to.deep.equal([
        {
          level: 'warning',
          clause: 'tables.people.columns.0',
          message: 'unknown column (the dataset describes not all of them) "wage"; expected one of pay',
          line: 7,
          column: 29
        }
      ])
      await writeFile(
        join(cwd, 'b.yaml'),
        AGREEMENT.replace('agreement: a', 'agreement: pay').replace('[wage]', '[pay]')
      )
      const { code, out } = await dynamos('agreement check a.yaml --beside b.yaml')
      expect(code).to.equal(0)
      expect(out).to.include(
        'a.yaml:7:1: warning: tables: only this permits tables people.wage, only pay permits'
      )
      expect((await dynamos('agreement check a.yaml --beside nowhere.yaml')).code).to.equal(2)
    })

    it('reads the hierarchy file beside it, and says at which line it was needed', async () => {
      await writeFile(
        join(cwd, 'a.yaml'),
        `${AGREEMENT}anonymize: {generalise: {wage: {hierarchy: w.csv}}}\n`
      )
      const without = await dynamos('agreement check a.yaml')
      expect(without.code).to.equal(2)
      expect(without.out).to.include(
        'a.yaml:9:33: error: anonymize.generalise.wage.hierarchy: expected the file'
      )
      await writeFile(join(cwd, 'w.csv'), '1,low\n2,low\n')
      const { code, out } = await dynamos('agreement check a.yaml')
      expect(code, out).to.equal(0)
      expect(out).to.include('turns 2 values of wage into 1 by level 1 of w.csv')
    })

    it('exits 2 for what is no agreement', async () => {
      await writeFile(join(cwd, 'a.yaml'), 'agreement: a\nproviders: VU\n')
      const { code, out } = await dynamos('agreement check a.yaml --json')
      expect(code).to.equal(2)
      expect(JSON.parse(out)).to.have.property('view', null)
    })
  })
})
