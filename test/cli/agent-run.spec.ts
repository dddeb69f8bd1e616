import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Doors, run } from '../../agent/cli/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { fakeTerminal, runs } from './fake-terminal.ts'

describe('agent run', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-run-'))
    await writeFile(join(cwd, 'agent.yaml'), 'organisation: VU\n')
  })
  afterEach(() => rm(cwd, { recursive: true }))

  function anAgent() {
    const stopped: number[] = []
    const stopping = Promise.withResolvers<void>()
    const doors: Doors = {
      startAgent: async (config) => ({
        peerId: `12D3-${config.organisation}`,
        api: 'http://127.0.0.1:7700',
        stop: async (deadline) => {
          stopped.push(deadline)
          await stopping.promise
        }
      }),
      profileDataset: async () => []
    }
    return { doors, stopped, stopping }
  }

  it('says ready once, and stops at a signal with exit code 0', async () => {
    const { doors, stopped, stopping } = anAgent()
    stopping.resolve()
    const terminal = fakeTerminal({ cwd })
    const out = terminal.out
    terminal.out = (text) => {
      out(text)
      terminal.interrupt()
    }
    expect(await run(['agent', 'run', '--config', 'agent.yaml'], terminal, doors)).to.equal(0)
    expect(terminal.written.out).to.equal('ready 12D3-VU http://127.0.0.1:7700\n')
    expect(stopped).to.have.length(1)
  })

  it('says ready as one JSON document', async () => {
    const { doors, stopping } = anAgent()
    stopping.resolve()
    const terminal = fakeTerminal({ cwd })
    const out = terminal.out
    terminal.out = (text) => {
      out(text)
      terminal.interrupt()
    }
    await run(['agent', 'run', '--json'], terminal, doors)
    expect(JSON.parse(terminal.written.out)).to.deep.equal({
      event: 'ready',
      peerId: '12D3-VU',
      api: 'http://127.0.0.1:7700'
    })
  })

  it('is abandoned at the second signal', async () => {
    const { doors, stopping } = anAgent()
    const terminal = fakeTerminal({ cwd })
    terminal.out = () => {
      terminal.interrupt()
      terminal.interrupt()
      stopping.resolve()
    }
    await run(['agent', 'run'], terminal, doors)
    expect(terminal.abandoned).to.deep.equal([4])
  })

  it('says why it did not start', async () => {
    const startAgent: Doors['startAgent'] = () =>
      Promise.reject(new DynamosError('listen-failed', 'api.listen: another program listens there'))
    const { code, out, err } = await runs(['agent', 'run'], { cwd }, { startAgent })
    expect(code).to.equal(4)
    expect(out).to.equal('')
    expect(err).to.equal(
      'dynamos: api.listen: another program listens there\nsee docs/errors/listen-failed.md, or: dynamos explain listen-failed\n'
    )
  })

  it('names the line of a typo in its configuration', async () => {
    await writeFile(join(cwd, 'agent.yaml'), 'organisation: VU\nrolles: [dataProvider]\n')
    const { code, err } = await runs(['agent', 'run'], { cwd })
    expect(code).to.equal(2)
    expect(err).to.include('agent.yaml:2:1: rolles: unknown key; did you mean "roles"?')
  })
})
