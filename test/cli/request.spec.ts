import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FastifyInstance } from 'fastify'
import type { Operations, RequestStatus } from '../../agent/api/index.ts'
import { run } from '../../agent/cli/index.ts'
import { anEvent, aRequest, fakeApi, TOKEN } from '../api/fake-operations.ts'
import { fakeTerminal, runs } from './fake-terminal.ts'

const REQUEST = 'purpose: research\ndatasets: [wageGap]\nquery: SELECT a FROM b\n'

describe('the command line and a running agent', () => {
  let folder = ''
  let token = ''
  const open: FastifyInstance[] = []
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-cli-'))
    token = join(folder, 'token')
    await writeFile(token, `${TOKEN}\n`)
    await writeFile(join(folder, 'r.yaml'), REQUEST)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()))
  })
  after(() => rm(folder, { recursive: true }))

  async function agent(changes: Partial<Operations> = {}): Promise<string[]> {
    const api = fakeApi(changes)
    open.push(api)
    return ['--agent', await api.listen({ host: '127.0.0.1', port: 0 }), '--token', token]
  }
  const ended = (
    status: RequestStatus,
    changes: Parameters<typeof aRequest>[0] = {}
  ): Partial<Operations> => ({
    request: async () => aRequest({ status, ...changes }),
    events: async function* () {
      yield anEvent(1, { status })
    }
  })

  it('submits a file, shows progress on standard error and the answer on standard output', async () => {
    const { code, out, err } = await runs(['request', 'submit', join(folder, 'r.yaml'), ...(await agent())])
    expect(code).to.equal(0)
    expect(err).to.include('execute · step 1\n')
    expect(out).to.include('VU: query').and.to.include('11.287')
  })

  it('prints exactly one JSON document with --json', async () => {
    const { code, out } = await runs([
      'request',
      'submit',
      join(folder, 'r.yaml'),
      '--json',
      ...(await agent())
    ])
    expect(code).to.equal(0)
    expect(JSON.parse(out)).to.deep.equal(aRequest())
  })

  it('reads a request from standard input', async () => {
    const seen: string[] = []
    const submit: Operations['submit'] = async ({ query }) => {
      seen.push(query)
      return { request: 'bafyrequest', created: true }
    }
    const args = ['request', 'submit', '-', ...(await agent({ submit }))]
    expect((await runs(args, { readInput: async () => REQUEST })).code).to.equal(0)
    expect(seen).to.deep.equal(['SELECT a FROM b'])
  })

  for (const [status, code] of [
    ['completed', 0],
    ['refused', 3],
    ['failed', 4],
    ['cancelled', 4],
    ['timed-out', 5]
  ] as const)
    it(`exits ${code} when a request is ${status}`, async () => {
      const args = ['request', 'submit', join(folder, 'r.yaml'), ...(await agent(ended(status)))]
      expect((await runs(args)).code).to.equal(code)
    })

  it('shows a refusal with its place in the text', async () => {
    const refusal = {
      hop: 'VU',
      question: 'offer',
      code: 'sql-column-unknown',
      clause: null,
      reason: 'there is no column a',
      acceptable: null,
      position: 7
    }
    const api = await agent(ended('refused', { refusals: [refusal], results: [] }))
    const { out } = await runs(['request', 'submit', join(folder, 'r.yaml'), ...api])
    expect(out).to.include('✗ VU refused at offer: sql-column-unknown')
    expect(out).to.include('  1 │ SELECT a FROM b\n             ^')
  })

  it('asks without a file', async () => {
    const seen: unknown[] = []
    const submit: Operations['submit'] = async (submission) => {
      seen.push(submission.algorithm, submission.datasets)
      return { request: 'bafyrequest', created: true }
    }
    const words = 'ask|SELECT 1|--dataset|wageGap|--purpose|research|--algorithm|average|--value|v|--by|a,b'
    const { code } = await runs([...words.split('|'), ...(await agent({ submit }))])
    expect(code).to.equal(0)
    expect(seen).to.deep.equal([{ name: 'average', parameters: { value: 'v', by: ['a', 'b'] } }, ['wageGap']])
  })

  it('does not wait when detached', async () => {
    const args = ['request', 'submit', join(folder, 'r.yaml'), '--detach', ...(await agent(ended('running')))]
    const { code, out } = await runs(args)
    expect(code).to.equal(0)
    expect(out).to.equal('bafyrequest\n')
  })

  it('ends only the waiting after --timeout', async () => {
    const cancelled: string[] = []
    const api = await agent({
      request: async () => aRequest({ status: 'running' }),
      events: async function* (_id, signal) {
        yield anEvent(1)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      },
      cancel: async (id) => {
        cancelled.push(id)
        return aRequest({ status: 'cancelled' })
      }
    })
    const { code, err } = await runs([
      'request',
      'submit',
      join(folder, 'r.yaml'),
      '--timeout',
      '0.2',
      ...api
    ])
    expect(code).to.equal(5)
    expect(err).to.include('dynamos request watch bafyrequest')
    expect(cancelled).to.deep.equal([])
  })

  it('cancels at Ctrl-C and waits for the end; a second one leaves at once', async () => {
    const cancelled = Promise.withResolvers<void>()
    let status: RequestStatus = 'running'
    const api = await agent({
      request: async () => aRequest({ status, results: [] }),
      events: async function* () {
        yield anEvent(1)
        await cancelled.promise
        yield anEvent(2, { status: 'cancelled' })
      },
      cancel: async () => {
        status = 'cancelled'
        cancelled.resolve()
        return aRequest({ status })
      }
    })
    let interrupted = false
    const terminal = fakeTerminal({
      err: (text) => {
        if (!text.includes('step 1') || interrupted) return
        interrupted = true
        terminal.interrupt()
        terminal.interrupt()
      }
    })
    const code = await run(['request', 'submit', join(folder, 'r.yaml'), ...api], terminal)
    expect(code).to.equal(4)
    expect(terminal.written.out).to.match(/^cancelled/)
    expect(terminal.abandoned).to.deep.equal([4])
  })

  it('cancels at a Ctrl-C that comes before the agent has answered', async () => {
    const terminal = fakeTerminal()
    const cancelled = Promise.withResolvers<void>()
    const api = await agent({
      submit: async () => {
        terminal.interrupt()
        return { request: 'bafyrequest', created: true }
      },
      request: async () => aRequest({ status: 'cancelled', results: [] }),
      events: async function* () {
        await cancelled.promise
        yield anEvent(1, { status: 'cancelled' })
      },
      cancel: async () => {
        cancelled.resolve()
        return aRequest({ status: 'cancelled' })
      }
    })
    expect(await run(['request', 'submit', join(folder, 'r.yaml'), ...api], terminal)).to.equal(4)
    expect(terminal.abandoned).to.deep.equal([])
  })

  for (const [words, cancels] of [
    ['request watch bafyrequest', false],
    ['request watch bafyrequest --cancel', true]
  ] as const)
    it(`${words}: Ctrl-C ${cancels ? 'cancels' : 'ends only the watching'}`, async () => {
      const cancelled = Promise.withResolvers<void>()
      let status: RequestStatus = 'running'
      const api = await agent({
        request: async () => aRequest({ status }),
        events: async function* (_id, signal) {
          yield anEvent(1)
          signal.addEventListener('abort', () => cancelled.resolve())
          await cancelled.promise
          yield anEvent(2, { status: 'cancelled' })
        },
        cancel: async () => {
          status = 'cancelled'
          cancelled.resolve()
          return aRequest({ status })
        }
      })
      const terminal = fakeTerminal({
        err: (text) => {
          if (text.includes('step 1')) terminal.interrupt()
        }
      })
      expect(await run([...words.split(' '), ...api], terminal)).to.equal(cancels ? 4 : 5)
      expect(status).to.equal(cancels ? 'cancelled' : 'running')
    })

  it('shows whoever watches what it shows whoever submitted', async () => {
    const refusal = {
      hop: 'VU',
      question: 'offer',
      code: 'sql-column-unknown',
      clause: null,
      reason: 'there is no column a',
      acceptable: null,
      position: 7
    }
    const api = await agent(ended('refused', { refusals: [refusal], results: [] }))
    const submitted = await runs(['request', 'submit', join(folder, 'r.yaml'), ...api])
    expect(await runs(['request', 'watch', 'bafyrequest', ...api])).to.deep.equal(submitted)
    expect(submitted).to.include({ code: 3 })
  })

  it('goes on with the events after a broken connection', async () => {
    let calls = 0
    const api = await agent({
      events: async function* () {
        calls += 1
        yield anEvent(1)
        if (calls === 1) throw new Error('the agent went away')
        yield anEvent(2, { status: 'completed' })
      }
    })
    const { code, err } = await runs(['request', 'submit', join(folder, 'r.yaml'), ...api])
    expect(code).to.equal(0)
    expect(err.match(/step 1/g)).to.have.length(1)
    expect(err).to.include('step 2')
  })

  it('writes answer and results into a folder', async () => {
    const csv = join(folder, 'from.csv')
    await writeFile(csv, 'a\n1\n')
    const result: Operations['result'] = async () => ({ path: csv, mediaType: 'text/csv' })
    const out = join(folder, 'answers')
    const args = ['request', 'submit', join(folder, 'r.yaml'), '--out', out, ...(await agent({ result }))]
    expect((await runs(args)).code).to.equal(0)
    expect(await readFile(join(out, 'result.csv'), 'utf8')).to.equal('a\n1\n')
    expect(await readFile(join(out, 'result.parquet'), 'utf8')).to.equal('a\n1\n')
    expect(JSON.parse(await readFile(join(out, 'request.json'), 'utf8'))).to.deep.equal(aRequest())
  })

  it('prints a result as it is', async () => {
    const csv = join(folder, 'from.csv')
    await writeFile(csv, 'a\n1\n')
    const result: Operations['result'] = async () => ({ path: csv, mediaType: 'text/csv' })
    const args = ['request', 'result', 'bafyrequest', '--format', 'csv', ...(await agent({ result }))]
    expect((await runs(args)).out).to.equal('a\n1\n')
  })

  it('keeps Parquet off the terminal', async () => {
    const args = ['request', 'result', 'bafyrequest', '--format', 'parquet', ...(await agent())]
    expect((await runs(args, { colour: true })).code).to.equal(2)
  })

  it('explains a request with its candidates', async () => {
    const candidate = {
      archetype: 'dataThroughTtp',
      at: { infrastructure: 'SURF' },
      scores: { energy: 0.2 },
      total: 0.3,
      chosen: true,
      why: 'least energy',
      answers: [
        { hop: 'VU', question: 'offer', verdict: 'permit' as const, clauses: [] },
        { hop: 'SURF', question: 'host', verdict: 'permit' as const, clauses: [] }
      ]
    }
    const api = await agent({
      explain: async () => aRequest({ status: 'negotiating', candidates: [candidate] })
    })
    const { code, out } = await runs(['request', 'explain', join(folder, 'r.yaml'), ...api])
    expect(code).to.equal(0)
    expect(out).to.match(/→ +dataThroughTtp +SURF +✓ +✓ +0\.3\n/)
    expect(out).to.include('→ dataThroughTtp at SURF: least energy')
  })

  for (const words of [
    'request list',
    'request status bafyrequest',
    'request watch bafyrequest',
    'request cancel bafyrequest',
    'peers',
    'capabilities',
    'capabilities VU',
    'datasets',
    'datasets --find wages',
    'datasets show wageGap',
    'agreement list',
    'agreement show wage-gap-2026',
    'marketplace members'
  ]) {
    it(`${words}: prints for people, and one JSON document with --json`, async () => {
      const api = await agent()
      const shown = await runs([...words.split(' '), ...api])
      expect(shown.err).to.equal(words.includes('watch') ? shown.err : '')
      expect(shown).to.include({ code: 0 })
      expect(shown.out).not.to.equal('')
      const { out } = await runs([...words.split(' '), '--json', ...api])
      expect(out.trimEnd().split('\n')).to.have.length(1)
      JSON.parse(out)
    })
  }

  it('tells how to ask about a dataset', async () => {
    const { out } = await runs(['datasets', 'show', 'wageGap', ...(await agent())])
    expect(out).to.include("dynamos ask 'SELECT Geslacht FROM Personen' --dataset wageGap --purpose research")
  })

  it('passes on what the agent says when it says no', async () => {
    const { code, err } = await runs(['request', 'status', 'bafyother', ...(await agent())])
    expect(code).to.equal(4)
    expect(err).to.equal(
      'dynamos: there is no such request here; list what there is and take its id\nsee docs/errors/not-found.md, or: dynamos explain not-found\n'
    )
  })

  it('prints errors as one JSON document too', async () => {
    const { out } = await runs(['request', 'status', 'bafyother', '--json', ...(await agent())])
    expect(JSON.parse(out).error.code).to.equal('not-found')
  })

  it('says when no agent answers', async () => {
    const { code, err } = await runs(['peers', '--agent', 'http://127.0.0.1:1', '--token', token])
    expect(code).to.equal(4)
    expect(err).to.include('no agent answers there; start it with')
  })

  it('believes no answer of another shape', async () => {
    const api = await agent({ peers: async () => JSON.parse('[{"peerId": 7}]') })
    const { code, err } = await runs(['peers', ...api])
    expect(code).to.equal(4)
    expect(err).to.include('found another answer at 0.peerId')
  })

  it('finds agent and token in the environment', async () => {
    const [, url] = await agent()
    const env = { DYNAMOS_AGENT: url, DYNAMOS_TOKEN: token }
    expect((await runs(['peers'], { env })).code).to.equal(0)
  })

  it('finds agent and token by the configuration in the folder', async () => {
    const [, url = ''] = await agent()
    const config = `organisation: UVA\napi: {listen: "${new URL(url).host}"}\n`
    await writeFile(join(folder, 'agent.yaml'), config)
    expect((await runs(['peers'], { cwd: folder })).code).to.equal(0)
    await rm(join(folder, 'agent.yaml'))
  })
})
