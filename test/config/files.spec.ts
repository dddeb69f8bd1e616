import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { stringify } from 'yaml'
import {
  ConfigInvalid,
  commentedAgentConfig,
  jsonSchemas,
  loadAgentConfig,
  loadDatabaseFile,
  loadDatasetFile,
  loadTopology,
  openTokens,
  sourceTableOf,
  takesResultsOf
} from '../../agent/config/index.ts'
import { sourceTable } from '../../services/job/index.ts'

const PEER = '12D3KooWBk3wsGqJYyLhzsrXi9VRnGQ4GgvqGrmkDVQqEiqmxJcS'

describe('files that users write', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-'))
  })
  afterEach(async () => await rm(folder, { recursive: true }))

  async function write(name: string, text: string): Promise<string> {
    const file = join(folder, name)
    await writeFile(file, text)
    return file
  }

  async function problemsOf(loading: Promise<unknown>): Promise<string[]> {
    try {
      await loading
    } catch (error) {
      if (error instanceof ConfigInvalid) return error.message.replaceAll(`${folder}/`, '').split('\n')
      throw error
    }
    return []
  }

  describe('agent.yaml', () => {
    it('of init loads, with the same values as a file that names only the organisation', async () => {
      const written = await loadAgentConfig(
        await write(
          'agent.yaml',
          commentedAgentConfig({ organisation: 'St. John’s "Lab"'.replace(/["’]/g, '') })
        )
      )
      const short = await loadAgentConfig(await write('short.yaml', 'organisation: St. Johns Lab\n'))
      expect({ ...written, file: '' }).to.deep.equal({ ...short, file: '' })
    })

    it('resolves paths against its own folder and quantities into base units', async () => {
      const config = await loadAgentConfig(
        await write(
          'agent.yaml',
          `organisation: SURF
roles: [computeProvider, dataProvider]
bootstrap: [/ip4/10.0.0.1/tcp/4001/p2p/${PEER}]
api: {listen: "[::1]:7700"}
datasets: [../data/wages.yaml]
policy: /etc/policy/
resources: {cores: 8, memory: 16GiB, disk: 100GiB, watts: {idle: 60, full: 180.5}, carbon: 268, price: {cpuHour: 0.05, currency: EUR}}
hosting: {for: "*", algorithms: "*", perJob: {memory: 4GiB, seconds: 900, disk: 20GiB}}
`
        )
      )
      expect(config.datasets).to.deep.equal([join(folder, '../data/wages.yaml')])
      expect(config.policy).to.equal('/etc/policy')
      expect(config.data).to.equal(join(folder, 'data'))
      expect(config.api).to.deep.include({ host: '::1', port: 7700 })
      expect(config.resources).to.deep.equal({
        cores: 8,
        memory: 16 * 2 ** 30,
        disk: 100 * 2 ** 30,
        milliwatts: { idle: 60_000, full: 180_500 },
        carbon: 268_000,
        price: { cpuHourMicros: 50_000, currency: 'EUR' }
      })
      expect(config.hosting.perJob).to.deep.equal({ memory: 4 * 2 ** 30, seconds: 900, disk: 20 * 2 ** 30 })
      expect(config.warnings).to.deep.equal([])
      expect(structuredClone(config)).to.deep.equal(config)
    })

    it('takes from the machine what it does not say', async () => {
      const config = await loadAgentConfig(await write('a.yaml', 'organisation: A'), {
        machine: { cores: 3, memory: 5 }
      })
      expect(config.resources).to.include({ cores: 3, memory: 5 })
    })

    it('is refused with place, expectation and what was found', async () => {
      const file = await write(
        'agent.yaml',
        `organisation: SURF
roles: [computeprovider]
listen: [tcp:4001]
bootstrap: [/ip4/10.0.0.1/tcp/4001]
api: {listen: 7700}
resources: {memory: 16 gigs, watts: {idle: 200, full: 100}}
hosting: {perJob: {memroy: 4GiB}}
datsets: []
`
      )
      expect(await problemsOf(loadAgentConfig(file))).to.deep.equal([
        'agent.yaml:2:9: roles[0]: expected one of "dataProvider", "computeProvider", found "computeprovider"; did you mean "computeProvider"?',
        'agent.yaml:3:10: listen[0]: expected a multiaddress such as /ip4/0.0.0.0/tcp/4001',
        'agent.yaml:4:13: bootstrap[0]: expected an address that ends in /p2p/ and the peer id of that agent',
        'agent.yaml:5:15: api.listen: expected a text, found the number 7700; write it in quotes',
        'agent.yaml:6:21: resources.memory: expected a size such as 4GiB or 500MB, found "16 gigs"',
        'agent.yaml:6:37: resources.watts: expected idle to be at most full',
        'agent.yaml:7:20: hosting.perJob.memroy: unknown key; did you mean "memory"?',
        'agent.yaml:8:1: datsets: unknown key; did you mean "datasets"?'
      ])
    })

    it('warns that a compute provider without hosting serves nobody', async () => {
      const config = await loadAgentConfig(await write('a.yaml', 'organisation: A\nroles: [computeProvider]'))
      expect(config.hosting.for).to.deep.equal([])
      expect(config.warnings).to.have.length(2)
    })

    describe('receive', () => {
      const withReceive = async (receive: string) =>
        await loadAgentConfig(await write('agent.yaml', `organisation: A\nreceive: ${receive}`))
      const asks = { organisation: 'UVA', purpose: 'research' }

      it('takes results of nobody unless it names both who asks and for what', async () => {
        const silent = await loadAgentConfig(await write('a.yaml', 'organisation: A'))
        expect(silent.receive).to.deep.equal({ for: [], purposes: [] })
        expect(silent.warnings).to.deep.equal([])
        for (const half of ['{for: [UVA]}', '{purposes: "*"}', '{for: "*", purposes: []}']) {
          const { receive, warnings } = await withReceive(half)
          expect(takesResultsOf(receive, asks)).to.equal(false)
          expect(warnings.join()).to.match(/^receive names one of `for` and `purposes`/)
        }
      })

      it('takes those of the organisations and purposes it names, and no others', async () => {
        const { receive, warnings } = await withReceive('{for: [UVA, VU], purposes: [research]}')
        expect(warnings).to.deep.equal([])
        expect(takesResultsOf(receive, asks)).to.equal(true)
        for (const other of [
          { ...asks, purpose: 'press' },
          { ...asks, organisation: 'RUG' },
          { ...asks, organisation: 'uva' },
          { ...asks, organisation: '*' }
        ])
          expect(takesResultsOf(receive, other)).to.equal(false)
        expect(takesResultsOf((await withReceive('{for: "*", purposes: "*"}')).receive, asks)).to.equal(true)
      })

      it('is refused with its place where it is written otherwise', async () => {
        for (const [receive, message] of [
          ['{from: [UVA], purposes: "*"}', /agent\.yaml:2:\d+: receive\.from: unknown key/],
          ['{for: UVA, purposes: "*"}', /agent\.yaml:2:\d+: receive\.for: /],
          ['{for: [7], purposes: "*"}', /agent\.yaml:2:\d+: receive\.for/],
          ['all', /agent\.yaml:2:\d+: receive: /]
        ] as const)
          expect((await problemsOf(withReceive(receive))).join()).to.match(message)
      })
    })

    it('takes a decision point of this machine, or one over https, or says what is missing', async () => {
      const withPoint = async (point: string) =>
        await loadAgentConfig(await write('agent.yaml', `organisation: A\ndecisionPoint: ${point}`))
      const { decisionPoint } = await withPoint('{url: "http://127.0.0.1:8181/", token: point.token}')
      expect(decisionPoint).to.deep.equal({
        url: 'http://127.0.0.1:8181/',
        timeout: 1000,
        token: join(folder, 'point.token')
      })
      for (const url of ['http://localhost:1/', 'http://[::1]:1/', 'https://policy.vu.nl/decide'])
        expect((await withPoint(`{url: "${url}", timeout: PT5S}`)).decisionPoint?.timeout).to.equal(5000)
      expect((await withPoint('{url: "http://10.0.0.1/", insecure: true}')).decisionPoint?.url).to.equal(
        'http://10.0.0.1/'
      )
      for (const [point, message] of [
        ['{url: "http://10.0.0.1/"}', /decisionPoint\.url: expected https, or an address of this machine/],
        ['{url: "http://127.0.0.1.evil.example/"}', /expected https/],
        ['{url: "ftp://127.0.0.1/"}', /expected a URL/],
        ['{url: "https://me:secret@a.example/"}', /expected no name and password/],
        ['{url: "https://a.example/", timeout: PT1M}', /at most PT30S/],
        ['{url: "https://a.example/", timeout: PT0S}', /more than no time/]
      ] as const)
        expect((await problemsOf(withPoint(point))).join()).to.match(message)
    })

    it('says which file is missing or is a folder', async () => {
      expect(await problemsOf(loadAgentConfig(join(folder, 'none.yaml')))).to.deep.equal([
        'none.yaml: there is no such file'
      ])
      await mkdir(join(folder, 'sub'))
      expect(await problemsOf(loadAgentConfig(join(folder, 'sub')))).to.deep.equal([
        'sub: expected a file, found a folder'
      ])
    })

    it('may keep the carbon intensity in a file of its own', async () => {
      await write('carbon.txt', '312.5\n')
      const config = await loadAgentConfig(
        await write('a.yaml', 'organisation: A\nresources: {carbon: carbon.txt}')
      )
      expect(config.resources.carbon).to.equal(312_500)
    })
  })

  describe('a dataset', () => {
    const WAGES = `id: wageGap
title: University wages
contact: steward@vu.nl
tables:
  Personen: {path: p.csv, format: csv, delimiter: ";", encoding: utf-8, decimal: ".", nulls: [""], subject: Unieknr,
    columns: {Geslacht: {type: varchar, from: sex, values: {"01": M, 2: V}, sensitive: true, description: sex}, Salschal: {type: "DECIMAL(10, 2)", unit: scale}}}
  Codes: {path: codes.parquet}
`

    it('becomes tables that a job accepts', async () => {
      const dataset = await loadDatasetFile(await write('wages.yaml', WAGES))
      expect(dataset).to.include({ id: 'wageGap', visibility: 'members', contact: 'steward@vu.nl' })
      const tables = dataset.tables.map(sourceTableOf)
      for (const table of tables) sourceTable.parse(table)
      expect(tables).to.deep.equal([
        {
          name: 'Personen',
          path: join(folder, 'p.csv'),
          format: 'csv',
          csv: { delimiter: ';', encoding: 'utf-8', decimal: '.', nulls: [''] },
          columns: [
            { name: 'Geslacht', from: 'sex', type: 'VARCHAR', values: { '01': 'M', '2': 'V' } },
            { name: 'Salschal', type: 'DECIMAL(10,2)' }
          ]
        },
        { name: 'Codes', path: join(folder, 'codes.parquet'), format: 'parquet', columns: [] }
      ])
      expect(dataset.tables[0]?.subject).to.equal('Unieknr')
    })

    const refused = async (text: string) =>
      (await problemsOf(loadDatasetFile(await write('d.yaml', text))))[0]

    it('on a server is told by a file, whose name says so', async () => {
      const text = 'id: a\ntables:\n  T: {path: hr.postgres.yaml, table: staff.person}'
      const { tables } = await loadDatasetFile(await write('d.yaml', text))
      expect(tables[0]).to.include({ format: 'postgres', table: 'staff.person' })
      expect(await refused('id: a\ntables:\n  T: {path: x.csv, table: person}')).to.equal(
        'd.yaml:3:27: tables.T.table: expected with a database only, found csv'
      )
    })

    it('on a server: a password that is no YAML is in no message', async () => {
      for (const written of ['!hunter2', '|hunter2', '@hunter2', '{hunter2', "'hunter2"]) {
        const file = await write('hr.postgres.yaml', `host: h\ndatabase: d\nuser: u\npassword: ${written}\n`)
        await chmod(file, 0o600)
        const problems = await problemsOf(loadDatabaseFile(file))
        expect(problems[0], written).to.match(/^hr\.postgres\.yaml:[45]:\d+: cannot be read/)
        expect(problems.join('\n')).not.to.include('hunter2')
      }
    })

    it('cannot declare a type that is none, nor names that SQL cannot tell apart', async () => {
      expect(await refused('id: a\ntables:\n  T: {path: x.csv, columns: {c: {type: VARCAR}}}')).to.match(
        /^d\.yaml:3:40: tables\.T\.columns\.c\.type: expected one of .* found "VARCAR"; did you mean "VARCHAR"\?$/
      )
      expect(
        await refused('id: a\ntables:\n  T: {path: x.csv, columns: {c: {type: "INT) , (SELECT 1"}}}')
      ).to.match(/expected one of/)
      expect(await refused('id: a\ntables:\n  T: {path: x.csv}\n  t: {path: y.csv}')).to.match(
        /SQL does not tell "t" from "T"/
      )
    })

    it('has options of CSV for CSV only', async () => {
      expect(await refused('id: a\ntables:\n  T: {path: x.parquet, delimiter: ","}')).to.match(
        /^d\.yaml:3:35: tables\.T\.delimiter: expected with format csv only/
      )
    })
  })

  describe('a topology', () => {
    it('gives each agent the text of an agent.yaml that loads from anywhere', async () => {
      const topology = await loadTopology(
        await write(
          'lab.yaml',
          `marketplace: {name: universities}
agents:
  - {name: VU, roles: [dataProvider], datasets: [vu/wages.yaml], users: [], autoApprove: all}
  - {name: surf-1, organisation: SURF, roles: [computeProvider], hosting: {for: "*", algorithms: "*"}, resources: {carbon: c.txt}}
agreements:
  - vu.yaml
  - {agreement: inline, provider: VU}
`
        )
      )
      expect(topology.agents.map(({ name, settings }) => [name, settings.organisation])).to.deep.equal([
        ['VU', 'VU'],
        ['surf-1', 'SURF']
      ])
      expect(topology.agreements).to.deep.equal([
        { file: join(folder, 'vu.yaml') },
        { inline: { agreement: 'inline', provider: 'VU' }, line: 7 }
      ])
      await mkdir(join(folder, 'elsewhere'))
      const config = await loadAgentConfig(
        await write('elsewhere/agent.yaml', stringify(topology.agents[0]?.settings))
      )
      expect(config.datasets).to.deep.equal([join(folder, 'vu/wages.yaml')])
      expect(config.autoApprove).to.equal('all')
    })

    it('names the line of a mistake inside an agent', async () => {
      const file = await write(
        'lab.yaml',
        'marketplace: {name: m}\nagents:\n  - name: VU\n    role: [dataProvider]\n  - name: VU\n'
      )
      expect(await problemsOf(loadTopology(file))).to.deep.equal([
        'lab.yaml:4:5: agents[0].role: unknown key; did you mean "roles"?'
      ])
      const twice = await write('two.yaml', 'marketplace: {name: m}\nagents:\n  - name: VU\n  - name: VU\n')
      expect(await problemsOf(loadTopology(twice))).to.deep.equal([
        'two.yaml:4:11: agents[1].name: VU names two agents'
      ])
    })
  })

  describe('tokens', () => {
    it('are made once for each user, kept private, and taken from users that are gone', async () => {
      const config = (users: string[]) => ({
        users,
        api: { host: '', port: 0, token: join(folder, 'token'), tokens: join(folder, 'tokens.json') }
      })
      await openTokens(config(['a@x.nl', 'b@x.nl']))
      const first = (await readFile(join(folder, 'token'), 'utf8')).trim()
      expect((await stat(join(folder, 'token'))).mode & 0o777).to.equal(0o600)
      expect((await stat(join(folder, 'tokens.json'))).mode & 0o777).to.equal(0o600)
      const again = await openTokens(config(['a@x.nl']))
      expect(again.userOf(first)).to.equal('a@x.nl')
      expect(again.userOf(`${first}x`)).to.equal(undefined)
      expect(again.userOf('')).to.equal(undefined)
      const steward = await openTokens(config([]))
      expect(steward.userOf(first)).to.equal(undefined)
      expect(steward.userOf((await readFile(join(folder, 'token'), 'utf8')).trim())).to.equal('steward')
    })
  })

  describe('roles', () => {
    const rolesOf = async (more: { stewards?: string[]; operators?: string[] }) => {
      const api = { host: '', port: 0, token: join(folder, 'token'), tokens: join(folder, 'tokens.json') }
      const users = ['a@x.nl', 'b@x.nl']
      const tokens = await openTokens({ users, api, ...more })
      return users.map((user) => tokens.rolesOf(user))
    }

    it('are both the first user’s, unless the file says whose they are', async () => {
      expect(await rolesOf({})).to.deep.equal([['steward', 'operator'], []])
      expect(await rolesOf({ stewards: ['b@x.nl'] })).to.deep.equal([['operator'], ['steward']])
      expect(await rolesOf({ stewards: [], operators: ['b@x.nl'] })).to.deep.equal([[], ['operator']])
      const api = { host: '', port: 0, token: join(folder, 'token'), tokens: join(folder, 'tokens.json') }
      const alone = await openTokens({ users: [], api })
      expect(alone.rolesOf('steward')).to.deep.equal(['steward', 'operator'])
      expect(alone.rolesOf('a@x.nl')).to.deep.equal([])
    })

    it('are of users only', async () => {
      const file = await write('agent.yaml', 'organisation: VU\nusers: [a@x.nl]\nstewards: [b@x.nl]\n')
      const [problem] = await problemsOf(loadAgentConfig(file))
      expect(problem).to.include('stewards[0]').and.to.include('expected one of users, found b@x.nl')
    })
  })

  it('that hold secrets are refused without showing them', async () => {
    await write('tokens.json', '{"a@x.nl": "tooshortbutsecret"}')
    const api = { host: '', port: 0, token: join(folder, 'token'), tokens: join(folder, 'tokens.json') }
    const [problem] = await problemsOf(openTokens({ users: ['a@x.nl'], api }))
    expect(problem).to.match(/^tokens\.json: expected a map of users to tokens/)
    expect(problem).not.to.include('secret')
  })

  it('are described by JSON Schemas', () => {
    const schemas = jsonSchemas()
    expect(Object.keys(schemas)).to.deep.equal(['agent', 'database', 'dataset', 'topology', 'request'])
    expect(schemas.agent).to.deep.include({ type: 'object', required: ['organisation'] })
    expect(JSON.stringify(schemas)).to.include('"pattern"')
  })
})
